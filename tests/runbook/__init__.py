"""The commands of the pages for the night, each carried out."""
