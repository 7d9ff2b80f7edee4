"""Run all benchmarks, or those that are named: `python -m tests.benchmarks command_line generation`."""

import importlib
import pkgutil
import sys

import tests.benchmarks as package


def main(names: list[str]) -> None:
    known = sorted(
        m.name.removeprefix("bench_") for m in pkgutil.iter_modules(package.__path__) if m.name.startswith("bench_")
    )
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.exit(f"`{unknown[0]}` is no benchmark. Choices: {', '.join(known)}.")
    for name in names or known:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"tests.benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
