{present} and not exists (select from {parent} p where {same})
