"""A contract for import-linter: whole packages do no I/O, but for the modules that are named."""

from typing import TYPE_CHECKING

from importlinter import fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression

if TYPE_CHECKING:
    from grimp import ImportGraph
    from importlinter import ContractCheck


class PureContract(ForbiddenContract):
    """`forbidden` for each module of `packages` that is not one of `but`, as a module: not what lies in it.

    A module that is added to a package is under the contract; one of `but` that does not exist is an error.
    """

    type_name = "pure"

    packages = fields.SetField(subfield=fields.ModuleExpressionField())
    but = fields.SetField(subfield=fields.ModuleExpressionField())
    source_modules = fields.SetField(subfield=fields.ModuleExpressionField(), required=False)

    def check(self, graph: "ImportGraph", verbose: bool) -> "ContractCheck":
        there = module_expressions_to_modules(graph, self.packages, as_packages=True)
        named = module_expressions_to_modules(graph, self.but, raise_if_unmatched=True)
        self.source_modules = {ModuleExpression(module.name) for module in there - named}
        self.as_packages = False
        return super().check(graph, verbose)
