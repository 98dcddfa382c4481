"""Nothing grows beyond what one reader holds in the head; complexity is ruff's to measure."""

from __future__ import annotations

import ast
import statistics

MOST_LINES_OF_A_FUNCTION = 60
USUAL_LINES_OF_A_FUNCTION = 35  # 95th percentile
MOST_LINES_OF_A_FILE = 400
MOST_ARGUMENTS = 6
MOST_POSITIONAL = 4  # of what others call; more have to be named


def lines_of(function):
    return function.end_lineno - function.lineno + 1


def is_verb(function):
    """A verb of the command line has as many arguments as it has options."""
    return any("command" in ast.dump(decorator) for decorator in function.decorator_list)


def positional(function):
    arguments = [*function.args.posonlyargs, *function.args.args]
    return [argument.arg for argument in arguments if argument.arg not in {"self", "cls"}]


def too_long(modules):
    return [
        f"{module.path}:{function.lineno} {function.name}: {lines_of(function)} lines"
        for module in modules
        for function in module.functions
        if lines_of(function) > MOST_LINES_OF_A_FUNCTION
    ]


def too_many_arguments(modules):
    faults = []
    for module in modules:
        for function in module.functions:
            place = f"{module.path}:{function.lineno} {function.name}"
            by_place = positional(function)
            everything = len(by_place) + len(function.args.kwonlyargs)
            if is_verb(function):
                continue
            if everything > MOST_ARGUMENTS:
                faults.append(f"{place}: {everything} arguments")
            if len(by_place) > MOST_POSITIONAL and (function.name == "__init__" or not function.name.startswith("_")):
                faults.append(f"{place}: {len(by_place)} arguments by place {by_place}")
    return faults


def test_no_function_is_longer_than_a_page(modules):
    assert too_long(modules) == []


def test_nearly_all_functions_are_short(modules):
    lengths = [lines_of(function) for module in modules for function in module.functions]
    assert len(lengths) > 100
    assert statistics.quantiles(lengths, n=20)[-1] <= USUAL_LINES_OF_A_FUNCTION


def test_no_file_is_longer_than_400_lines(modules):
    lengths = {module.path: len(module.text.splitlines()) for module in modules}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_no_function_takes_more_than_six_arguments_nor_more_than_four_by_place(modules):
    assert too_many_arguments(modules) == []


def test_the_measures_find_what_they_look_for(module_of):
    long = "def f():\n" + "    x = 1\n" * 60
    crowded = "def f(a, b, *, c, d, e, g, h): ..."
    by_place = "class A:\n    def f(self, a, b, c, d, e): ..."
    verb = "@click.command('x')\ndef f(a, b, c, d, e, g, h): ..."
    assert too_long([module_of.of("trialimg/x.py", long)]) == ["trialimg/x.py:1 f: 61 lines"]
    assert too_many_arguments([module_of.of("trialimg/x.py", crowded)]) == ["trialimg/x.py:1 f: 7 arguments"]
    assert len(too_many_arguments([module_of.of("trialimg/x.py", by_place)])) == 1
    assert too_many_arguments([module_of.of("trialimg/cli/x.py", verb)]) == []
