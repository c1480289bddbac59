"""What a public function owes its reader: a docstring if it is long, and the errors of ours that it raises.

Both rules are read from the source of the whole package. No function and no error is listed here.
"""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

import p2pforum

PACKAGE = Path(p2pforum.__file__).parent
LONG = 6  # statements, with those of loops, branches and functions inside

Function = ast.FunctionDef | ast.AsyncFunctionDef
Errors = dict[str, set[str]]  # the name of an exception -> the names of its bases, all the way up


def public_functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods with their names, no part of which begins with an underscore.

    Without the commands of the command line: users read their docstrings as help.
    """

    def inside(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function]]:
        for node in body:
            if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
                continue
            if isinstance(node, ast.ClassDef):
                yield from inside(node.body, f"{prefix}{node.name}.")
            elif not any("click." in ast.unparse(decorator) for decorator in node.decorator_list):
                yield f"{prefix}{node.name}", node

    return inside(tree.body, "")


def statements(function: Function) -> int:
    body = function.body[ast.get_docstring(function) is not None :]
    return sum(isinstance(inner, ast.stmt) for node in body for inner in ast.walk(node))


def names_in(node: ast.expr | None) -> set[str]:
    return {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)} if node else set()


def errors_of(trees: list[ast.Module]) -> Errors:
    """The exceptions that these modules define."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: Errors = {}
    while True:
        more: Errors = {}
        for node in classes:
            bases = {name for base in node.bases for name in names_in(base)}
            if bases & found.keys() or any(is_builtin_error(name) for name in bases):
                above = {name for base in bases for name in found.get(base, ())}
                more.setdefault(node.name, set()).update(bases | above)
        if more == found:
            return found
        found = more


def is_builtin_error(name: str) -> bool:
    value = getattr(builtins, name, None)
    return isinstance(value, type) and issubclass(value, BaseException)


def raised(function: Function, errors: Errors) -> set[str]:
    """Errors that leave a function by its own `raise`: in no function inside it, and not caught around it."""

    def walk(node: ast.AST, caught: set[str]) -> Iterator[str]:
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            return
        if isinstance(node, ast.Raise):
            made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            yield from (n for n in names_in(made) & errors.keys() if not caught & {n, *errors[n]})
        within = caught
        if isinstance(node, ast.Try):
            within = caught.union(*(names_in(handler.type) for handler in node.handlers))
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child, within if field == "body" else caught)

    return {name for part in function.body for name in walk(part, set())}


def without_docstring(tree: ast.Module) -> list[str]:
    return [
        name
        for name, function in public_functions(tree)
        if statements(function) >= LONG and not ast.get_docstring(function)
    ]


def without_error(tree: ast.Module, errors: Errors) -> list[str]:
    """Functions whose docstring does not name an error that they raise, each with that error."""
    return [
        f"{name} raises {error}"
        for name, function in public_functions(tree)
        for error in sorted(raised(function, errors))
        if error not in (ast.get_docstring(function) or "")
    ]


TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
ERRORS = errors_of(list(TREES.values()))


@pytest.mark.parametrize("path", sorted(TREES))
def test_a_long_public_function_has_a_docstring(path: str) -> None:
    assert without_docstring(TREES[path]) == []


@pytest.mark.parametrize("path", sorted(TREES))
def test_a_docstring_names_the_errors_that_its_function_raises(path: str) -> None:
    assert without_error(TREES[path], ERRORS) == []


# -- controls: that the rules can be broken ----------------------------------------------------------------


def one(lines: int, docstring: str = "") -> ast.Module:
    body = [f'"""{docstring}"""'] if docstring else []
    body += ["if True:", "    pass", *["pass"] * (lines - 2)]
    return ast.parse("\n    ".join(["def public():", *body]))


def test_the_control_long_is_six_statements() -> None:
    assert without_docstring(one(LONG)) == ["public"]
    assert without_docstring(one(LONG - 1)) == []
    assert without_docstring(one(LONG, "Says it.")) == []


SOURCE = '''
class Ours(Exception): ...
class Special(Ours): ...
class Public:
    async def raises(self):
        """{docstring}"""
        try:
            {inner}
        except {handler}:
            {outer}
'''


@pytest.mark.parametrize(
    ("docstring", "inner", "handler", "outer", "found"),
    [
        ("", "raise Special()", "KeyError", "pass", ["Public.raises raises Special"]),
        ("Raises Special.", "raise Special", "KeyError", "pass", []),
        ("Raises Ours.", "raise Special", "KeyError", "pass", ["Public.raises raises Special"]),
        ("", "raise Special", "Ours", "pass", []),  # caught by a base
        ("", "raise Special", "(KeyError, Exception)", "pass", []),
        ("", "raise Ours", "Special", "pass", ["Public.raises raises Ours"]),
        ("", "pass", "Ours", "raise Ours from None", ["Public.raises raises Ours"]),
        ("", "raise ValueError", "KeyError", "pass", []),  # not one of ours
        ("", "await f(lambda: g()); raise Ours", "KeyError", "raise", ["Public.raises raises Ours"]),
    ],
)
def test_the_control_an_error_that_leaves_a_function(
    docstring: str, inner: str, handler: str, outer: str, found: list[str]
) -> None:
    tree = ast.parse(SOURCE.format(docstring=docstring, inner=inner, handler=handler, outer=outer))
    assert without_error(tree, errors_of([tree])) == found


def test_the_control_the_package_has_errors_and_long_functions() -> None:
    assert {"RemoteProtocolError", "SessionOver", "Ambiguous"} <= ERRORS.keys()
    everything = [function for tree in TREES.values() for _, function in public_functions(tree)]
    assert sum(statements(function) >= LONG for function in everything) > 300
    assert sum(bool(raised(function, ERRORS)) for function in everything) > 100
