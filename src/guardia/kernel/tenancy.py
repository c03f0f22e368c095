"""Tenancy: a customer's rows are reached only through a query that names whose they are.

`CompanyManager` refuses every unscoped query with `UnscopedQuery`. Code says `Model.objects.visible_to(actor)` (checked
access), `.of_company(id)` (a worker acting for one company) or `.across_companies(reason)` (the vendor's own work:
queue, memory gate, publishing). The reason is a literal that a reader can question.
"""

from typing import Any, Self, TypeVar
from uuid import UUID

from django.db import models

from guardia.kernel.errors import UnscopedQuery
from guardia.kernel.vocabulary import Actor

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """A query set that runs only after somebody said whose rows are meant."""

    _scope: str | None = None

    def _clone(self) -> Self:
        copy: Self = super()._clone()  # type: ignore[misc]
        copy._scope = self._scope
        return copy

    def _scoped(self, scope: str, **filters: Any) -> Self:
        copy = self.filter(**filters) if filters else self.all()
        copy._scope = scope  # noqa: SLF001  a copy of ourselves
        return copy

    def visible_to(self, actor: Actor) -> Self:
        """Rows that the actor may see: the vendor's staff all of them, a customer those of the own company."""
        if actor.is_staff:
            return self._scoped("staff")
        if actor.company_id is None:
            return self._scoped("nobody").none()
        return self._scoped("company", company_id=actor.company_id)

    def of_company(self, company_id: UUID) -> Self:
        """Rows of one company."""
        return self._scoped("company", company_id=company_id)

    def across_companies(self, reason: str) -> Self:
        """Rows of every company, for the vendor's own work; says why."""
        return self._scoped(f"across: {reason}")

    def _demand_scope(self) -> None:
        if self._scope is None:
            raise UnscopedQuery(
                f"{self.model.__name__} holds customers' rows: say visible_to(actor), of_company(id) or "
                "across_companies(reason) before the query runs",
            )

    def _fetch_all(self) -> None:
        self._demand_scope()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().iterator(*args, **kwargs)

    def aiterator(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().aiterator(*args, **kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002  Django's signature
        raise UnscopedQuery(f"{self.model.__name__} holds customers' rows: raw SQL cannot say whose are meant")

    def __or__(self, other: Any) -> Self:
        return super().__or__(_demanded(other))

    def __xor__(self, other: Any) -> Self:
        return super().__xor__(_demanded(other))

    def _combinator_query(self, combinator: str, *others: Any, **kwargs: Any) -> Self:
        combined: Self = super()._combinator_query(  # type: ignore[misc]
            combinator, *[_demanded(other) for other in others], **kwargs
        )
        return combined

    def count(self) -> int:
        self._demand_scope()
        return super().count()

    def exists(self) -> bool:
        self._demand_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._demand_scope()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._demand_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._demand_scope()
        return super().delete()


def _demanded(other: Any) -> Any:
    """Return rows that are to join others; raise UnscopedQuery where nobody said whose they are."""
    if isinstance(other, ScopedQuerySet):
        other._demand_scope()  # noqa: SLF001  one of our own
    return other


class CompanyManager(models.Manager[M]):
    """The only default manager of a model that carries `company_id`."""

    def get_queryset(self) -> ScopedQuerySet[M]:
        return ScopedQuerySet(self.model, using=self._db)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        return self.get_queryset().raw(*args, **kwargs)

    def visible_to(self, actor: Actor) -> ScopedQuerySet[M]:
        """See `ScopedQuerySet.visible_to`."""
        return self.get_queryset().visible_to(actor)

    def of_company(self, company_id: UUID) -> ScopedQuerySet[M]:
        """See `ScopedQuerySet.of_company`."""
        return self.get_queryset().of_company(company_id)

    def across_companies(self, reason: str) -> ScopedQuerySet[M]:
        """See `ScopedQuerySet.across_companies`."""
        return self.get_queryset().across_companies(reason)


class CompanyRow(models.Model):
    """Base of every customer row: the company it belongs to, and the manager that demands it."""

    company = models.ForeignKey("accounts.Company", on_delete=models.PROTECT, related_name="+")

    objects = CompanyManager()
    unscoped = models.Manager()
    """For Django's own machinery only (`base_manager_name`): related-object look-ups from a row already in hand."""

    class Meta:
        abstract = True
        base_manager_name = "unscoped"
        default_manager_name = "objects"
