"""Which column, link table or recomputation each declaration means in this database: names resolved to ids.

What belongs here: resolving declarations against the base's metadata and the database's catalogue. What does
not: comparing anything. A declaration that cannot be resolved becomes a problem that fails the proof, never
silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.proof.catalogue import Catalogue
from ledger_assets.tables.fields import Declaration, Derived, Mapped, RawOnly, Rule, TableSpec, kept_whole


@dataclass(frozen=True)
class ColumnPlan:
    """A field's cells in one column of a target table whose rows are the table's records one by one."""

    target: str
    table: TableMeta
    field: FieldMeta
    column: str
    rule: Rule
    options: Mapping[str, str]
    references: str | None
    default: str
    owners: tuple[str, ...]
    """The target itself and, when its rows are only parts of a record, the tables that hold the record's row:
    where a whole record is refused or skipped, its parts are too."""


@dataclass(frozen=True)
class LinkPlan:
    """A field's links in the rows of one link table: ``holder`` refers to the record with the cell."""

    target: str
    table: TableMeta
    field: FieldMeta
    holder: str
    holder_table: str
    linked: str
    linked_table: str


@dataclass(frozen=True)
class FilePlan:
    """A field's attachments in the rows of the media table: ``owner`` refers to the record with the cell."""

    target: str
    table: TableMeta
    field: FieldMeta
    role: str
    owner: str
    owner_table: str


@dataclass(frozen=True)
class FieldPlan:
    """A field that is in no column: why (``destination``), or what is wrong with its declaration
    (``problem``)."""

    table: TableMeta
    field: FieldMeta
    destination: str
    derived: Derived | None = None
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything to be proven about a base."""

    columns: tuple[ColumnPlan, ...]
    links: tuple[LinkPlan, ...]
    files: tuple[FilePlan, ...]
    others: tuple[FieldPlan, ...]
    unknown: tuple[str, ...]
    """Declarations of fields that the base does not have."""
    field_ids: tuple[str, ...]
    """All fields of the base in Airtable's order."""
    whole: frozenset[str] = frozenset()
    """Ids of tables that are declared raw only as a whole."""


def make_plan(meta: BaseMeta, pinned: BaseMeta, specs: Sequence[TableSpec], catalogue: Catalogue) -> Plan:
    """Resolve all declarations. Names are looked up in ``pinned``, ids in ``meta``: a renamed field is
    found."""
    declared: dict[tuple[str, str], list[tuple[TableSpec, Declaration]]] = {}
    unknown: list[str] = []
    whole: dict[str, str] = {}
    for name, reason in kept_whole(d for spec in specs for d in spec.declares).items():
        kept = find_table(meta, pinned, name)
        if kept is None:
            unknown.append(f"{name}.every field")
        else:
            whole[kept.id] = reason
    for spec in specs:
        for declaration in spec.declares:
            if declaration.field is None:
                continue
            table, field = find_field(meta, pinned, declaration.table, declaration.field)
            if table is None or field is None:
                unknown.append(f"{declaration.table}.{declaration.field}")
            else:
                declared.setdefault((table.id, field.id), []).append((spec, declaration))
    columns: list[ColumnPlan] = []
    links: list[LinkPlan] = []
    files: list[FilePlan] = []
    others: list[FieldPlan] = []
    for table in meta.tables:
        for field in table.fields:
            found_declarations = declared.get((table.id, field.id), [])
            if not found_declarations and table.id in whole:
                others.append(FieldPlan(table, field, f"raw only: {whole[table.id]}"))
            elif not found_declarations:
                others.append(_undeclared(table, field, bool(specs)))
            for spec, declaration in found_declarations:
                owners = (
                    spec.name,
                    *(s.name for s in specs if spec.source is None and s.source == declaration.table),
                )
                part = _resolve(table, field, spec, declaration, catalogue, owners)
                columns.extend(p for p in part if isinstance(p, ColumnPlan))
                links.extend(p for p in part if isinstance(p, LinkPlan))
                files.extend(p for p in part if isinstance(p, FilePlan))
                others.extend(p for p in part if isinstance(p, FieldPlan))
    field_ids = tuple(field.id for table in meta.tables for field in table.fields)
    return Plan(
        tuple(columns), tuple(links), tuple(files), tuple(others), tuple(unknown), field_ids, frozenset(whole)
    )


def find_table(meta: BaseMeta, pinned: BaseMeta, name: str) -> TableMeta | None:
    """The base's table that the declarations call ``name``: by its pinned id first, so that a rename is
    followed."""
    known = pinned.table(name)
    return (meta.table_by_id(known.id) if known else None) or meta.table(name)


def find_field(
    meta: BaseMeta, pinned: BaseMeta, table_name: str, name: str
) -> tuple[TableMeta | None, FieldMeta | None]:
    """The base's table and field that the declarations call so."""
    table = find_table(meta, pinned, table_name)
    known = pinned.table(table_name)
    field = known.field(name) if known else None
    if table is None:
        return None, None
    return table, (table.field_by_id(field.id) if field else None) or table.field(name)


Part = ColumnPlan | LinkPlan | FilePlan | FieldPlan


def _undeclared(table: TableMeta, field: FieldMeta, has_specs: bool) -> FieldPlan:
    problem = "declared nowhere" if has_specs else ""
    return FieldPlan(table, field, "nowhere" if has_specs else "raw only (no mapping)", problem=problem)


def _resolve(
    table: TableMeta,
    field: FieldMeta,
    spec: TableSpec,
    declaration: Declaration,
    catalogue: Catalogue,
    owners: tuple[str, ...],
) -> Sequence[Part]:
    if isinstance(declaration, RawOnly):
        return [FieldPlan(table, field, f"raw only: {declaration.reason}")]
    if isinstance(declaration, Derived):
        return [FieldPlan(table, field, f"derived: {declaration.how}", derived=declaration)]
    if declaration.rule is Rule.LINK:
        return [_link(table, field, spec, declaration, catalogue)]
    if declaration.rule is Rule.FILES:
        return [_files(table, field, spec, declaration, catalogue)]
    return _columns(table, field, spec, declaration, catalogue, owners)


def _columns(
    table: TableMeta,
    field: FieldMeta,
    spec: TableSpec,
    declaration: Mapped,
    catalogue: Catalogue,
    owners: tuple[str, ...],
) -> Sequence[Part]:
    wanted = [(declaration.column, declaration.rule)]
    if declaration.rule is Rule.REFERENCE:
        wanted.insert(0, (declaration.text_column, Rule.SAME))
    parts: list[Part] = []
    for column, rule in wanted:
        place = f"{spec.name}.{column}"
        if not catalogue.has(spec.name, column):
            parts.append(FieldPlan(table, field, place, problem="the column does not exist in Postgres"))
        else:
            default = catalogue.default(spec.name, column)
            parts.append(
                ColumnPlan(
                    target=spec.name,
                    table=table,
                    field=field,
                    column=column,
                    rule=rule,
                    options=declaration.options,
                    references=declaration.references,
                    default=default,
                    owners=owners,
                )
            )
    return parts


def _link(
    table: TableMeta, field: FieldMeta, spec: TableSpec, declaration: Mapped, catalogue: Catalogue
) -> Part:
    keys = catalogue.references.get(spec.name, {})
    holders = [column for column in keys if column != declaration.column]
    if declaration.column not in keys or len(holders) != 1:
        return FieldPlan(
            table, field, spec.name, problem="the link table does not have the two foreign keys of a link"
        )
    holder = holders[0]
    return LinkPlan(
        spec.name, table, field, holder, keys[holder], declaration.column, keys[declaration.column]
    )


def _files(
    table: TableMeta, field: FieldMeta, spec: TableSpec, declaration: Mapped, catalogue: Catalogue
) -> Part:
    keys = catalogue.references.get(spec.name, {})
    owner = next(
        (column for column, referenced in keys.items() if referenced == declaration.references), None
    )
    if owner is None or declaration.references is None:
        return FieldPlan(
            table, field, spec.name, problem="the media table has no foreign key to the files' owner"
        )
    return FilePlan(
        spec.name, table, field, declaration.options.get("role", ""), owner, declaration.references
    )
