"""Finds the shapes around co_await that g++ 12 compiles to code which corrupts memory.

Inside one full expression with co_await these are refused:
  - a temporary aggregate or any braced list:           co_await f({.a = s})   co_await f(T{x})
  - a lambda that captures:                             co_await f([x] { ... })
  - the conditional operator:                           c ? co_await f() : g()
  - throw:                                              throw error(co_await f())
and co_await in the condition of if, while, switch or do; aggregates as default arguments of what returns
an awaitable, since a call expands them beside its co_await (named<T> is safe); parameters of a coroutine
that are views, unless a comment above says that they are lent by a caller that awaits in the same scope.

Usage: check_coroutines.py SOURCE_DIR | --self-test
"""

import pathlib
import re
import sys


# A raw string, a comment, a string, a character; the ' within 1'000'000 opens none.
NO_CODE = re.compile(
    r'R"(?P<mark>[^\s()\\"]*)\((?:.|\n)*?\)(?P=mark)"|//[^\n]*|/\*(?:.|\n)*?\*/|'
    r'"(?:\\.|[^"\\\n])*"|' + r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")


def strip(text):
    """The same text with comments, strings and character literals blanked, line by line."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(NO_CODE, blank, text)


def matching(text, opening):
    """Where the bracket at `opening` closes."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth = 0
    for i in range(opening, len(text)):
        if text[i] in pairs:
            depth += 1
        elif text[i] in pairs.values():
            depth -= 1
            if depth == 0:
                return i
    return len(text)


def expression_around(text, at):
    """The full expression or statement that holds position `at`: from the last ; { or } outside brackets
    to the next ; or block."""
    start = at
    depth = 0
    while start > 0:
        c = text[start - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            depth = max(0, depth - 1)
        elif c in ";{}" and depth == 0:
            break
        start -= 1
    end = at
    depth = 0
    while end < len(text):
        c = text[end]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth < 0:
                break
        elif c == ";" and depth == 0:
            break
        end += 1
    return text[start:end]


BRACED = re.compile(r"[\w>,(=]\s*\{|return\s*\{")
OPENED = re.compile(r"(\w+)\s*\{[^;{}]*$")  # a brace that stands before co_await, after a word
BLOCK_WORDS = {"else", "do", "try", "const", "override", "mutable", "noexcept"}
CAPTURING = re.compile(r"(?<![\w\])])\[(?!\s*\])[^\]]*\]\s*(\([^)]*\))?\s*(mutable\s*)?(->[^{]*)?\{")
CONDITION = re.compile(r"\b(if|while|switch)\s*(constexpr\s*)?\(")

BRACED_DEFAULT = re.compile(r"(?:^|,)([^,]*)\s\w+\s*=\s*[\w:<>]*\{([^}]*)\}")
AGGREGATE = re.compile(r"_(options|config|info|result|request|parts)\b")


def faults_of(text):
    lines = text.split("\n")
    text = strip(text)
    found = []

    def line(position):
        return text.count("\n", 0, position) + 1

    for match in CONDITION.finditer(text):
        opening = text.index("(", match.start())
        condition = text[opening:matching(text, opening)]
        if "co_await" in condition and ";" not in condition:
            found.append((line(match.start()), "co_await in a condition"))
        elif "co_await" in condition.rsplit(";", 1)[-1]:
            found.append((line(match.start()), "co_await in a condition"))
    for match in re.finditer(r"\bco_await\b", text):
        expression = expression_around(text, match.start())
        if re.match(r"\s*for\s*\(", expression):
            continue
        opened = OPENED.search(text[: match.start()])
        if opened and opened.group(1) not in BLOCK_WORDS:
            found.append((line(match.start()), "braced list beside co_await"))
        if re.search(r"\bthrow\b[^;]*co_await", expression):
            found.append((line(match.start()), "throw of an awaited value"))
        if CAPTURING.search(expression):
            found.append((line(match.start()), "capturing lambda beside co_await"))
        elif BRACED.search(expression):
            found.append((line(match.start()), "braced list beside co_await"))
        if re.search(r"[^?]\?[^?:]", expression):
            found.append((line(match.start()), "conditional operator beside co_await"))
    for match in re.finditer(r"\bawaitable<[^;{}()]*>\s+[\w:]+\s*\(([^;{}]*?)\)\s*(const\s*)?(override\s*)?\{", text):
        body = text[match.end() - 1:matching(text, match.end() - 1)]
        if "co_await" not in body and "co_return" not in body:
            continue
        before = lines[line(match.start()) - 2] if line(match.start()) > 1 else ""
        if re.search(r"\bstring_view\b", match.group(1)) and "lent" not in before:
            found.append((line(match.start()), "a view as a coroutine's parameter"))
    for match in re.finditer(r"\bawaitable<[^;{}()]*>\s+[\w:]+\s*\(", text):
        parameters = text[match.end():matching(text, match.end() - 1)]
        for kind, content in BRACED_DEFAULT.findall(parameters):
            if AGGREGATE.search(kind) and "named<" not in kind or content.strip():
                found.append((line(match.start()), "a braced default argument beside its caller's co_await"))
    return sorted(set(found))


BAD = [
    "co_await f({.a = s});",
    "auto x = co_await send(chunk{1, 2});",
    "opts o{.a = co_await f()};",
    "co_return info{co_await f()};",
    "co_await run([path] { return 1; });",
    "co_await run([=]() mutable { return 1; });",
    'co_await f({"a", "b"});',
    "auto x = c ? co_await f() : g();",
    "co_await f(b ? a : T(b));",
    "throw error(co_await f());",
    "if (co_await f()) x();",
    "while (co_await next()) {}",
    "switch (co_await f()) {}",
    "awaitable<int> f(std::string_view v) { co_return co_await g(); }",
    "co_await f(\n    options{\n        .a = s});",
    "std::vector<int> v{co_await f()};",
    "const int n = 8'000; co_await f(chunk{n, 'x'});",
    'const auto text = R"(")"; co_await f({.a = s});',
    "co_await f(x, [&] { return y; });",
    "const auto x = co_await f() ? a : b;",
    "awaitable<int> f(std::string repo, fetch_options options = {});",
    "awaitable<int> f(std::string repo, std::vector<int> parts = std::vector<int>{1});",
]
GOOD = [
    "const auto x = co_await f(); if (x) y();",
    "auto operation = f(std::move(a)); co_await std::move(operation);",
    "co_await f(T(b), std::move(c));",
    "auto work = [path] { return 1; }; co_await run(work);",
    "co_await asio::async_connect(s, e, asio::redirect_error(asio::use_awaitable, ec));",
    "if (a) { co_await f(); }",
    "for (const auto& x : xs) { co_await f(x); }",
    "for (auto i = co_await f(); i; i = co_await f()) xs.push_back(*i);",
    'throw error("a {" + b); co_await f(); // co_await f({1})',
    "auto g = [&]() -> awaitable<void> { co_await f(); }; h = a ? b : c;",
    "awaitable<int> f(std::string v) { co_return co_await g(); }",
    "const int n = 1'000'003; co_await f(n, 'x');",
    'const auto text = R"json({"a": "co_await f({1})"})json"; co_await f(text);',
    "awaitable<int> f(std::string repo, named<fetch_options> options = {});",
    "awaitable<int> f(std::string repo, bool deep = false, int depth = 0);",
    "config make(fetch_options options = {});",
    "awaitable<int> f(std::vector<int> parts, named<fetch_options> options = {});",
    "awaitable<int> f(std::filesystem::path folder = {});",
    "const fetch_options options{.a = s}; co_await f(options);",
]


def self_test():
    wrong = [sample for sample in BAD if not faults_of("void f() {\n" + sample + "\n}")]
    wrong += [sample for sample in GOOD if faults_of("void f() {\n" + sample + "\n}")]
    for sample in wrong:
        print("judged wrongly:", sample)
    print(f"{len(BAD) + len(GOOD)} samples, {len(wrong)} judged wrongly")
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    count = read = 0
    for folder in ("include", "src", "tests", "examples", "benchmarks"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp") or "compile_fail" in path.parts:
                continue
            read += 1
            for number, fault in faults_of(path.read_text()):
                print(f"{path}:{number}: {fault}")
                count += 1
    print(f"{read} files read, {count} faults")
    return 1 if count or read < 50 else 0


sys.exit(main())
