"""Builds and runs a small program that uses cohub as a stranger would.

Usage: check_consumer.py find_package|components|pkg_config|subdirectory|options SOURCE_DIR BUILD_DIR CXX
       CXX_FLAGS WARNING_AS_ERROR COMPONENTS

"options" is no consumer: it configures cohub without its optional parts.
"""

import os
import pathlib
import subprocess
import sys
import tempfile


def run(*command, **options):
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, **options)


def output(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout


def try_it(program, work):
    (work / "run").mkdir()
    said = output(program, work / "run")
    if "read back: hello" not in said:
        sys.exit(f"the consumer said: {said!r}")


def with_cmake(project, work, compiler, flags, *settings):
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=env;CCACHE_NOHASHDIR=1;ccache"] if has("ccache") else []
    run("cmake", "-G", "Ninja", "-S", project, "-B", work / "build", f"-DCMAKE_CXX_COMPILER={compiler}",
        f"-DCMAKE_CXX_FLAGS={flags}", *launcher, *settings)
    run("cmake", "--build", work / "build", "--target", "consumer")
    try_it(work / "build" / "consumer", work)


def has(program):
    return any(os.access(pathlib.Path(folder) / program, os.X_OK)
               for folder in os.environ["PATH"].split(":"))


def main():
    how, source, build, compiler, flags, warning_as_error, components = sys.argv[1:8]
    projects = pathlib.Path(source) / "tests" / "consumer"
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        if how == "subdirectory":
            # With the settings of this build, so that ccache has what it compiled.
            with_cmake(projects / "subdirectory", work, compiler, flags, f"-DCOHUB_SOURCE_DIR={source}",
                       f"-DCMAKE_COMPILE_WARNING_AS_ERROR={warning_as_error}")
            return
        if how == "options":
            for off in ("SERVER", "TOOL", "TESTS", "EXAMPLES"):
                run("cmake", "-G", "Ninja", "-S", source, "-B", work / off, f"-DCMAKE_CXX_COMPILER={compiler}",
                    f"-DCOHUB_BUILD_{off}=OFF", stdout=subprocess.DEVNULL)
            return
        prefix = work / "prefix"
        run("cmake", "--install", build, "--prefix", prefix, stdout=subprocess.DEVNULL)
        if how == "find_package":
            with_cmake(projects / "installed", work, compiler, flags, f"-DCMAKE_PREFIX_PATH={prefix}")
            return
        if how == "components":
            with_cmake(projects / "components", work, compiler, flags, f"-DCMAKE_PREFIX_PATH={prefix}",
                       f"-DCOHUB_COMPONENTS={components}")
            # And where the frameworks are missing, but optional.
            run("cmake", "-G", "Ninja", "-S", projects / "components", "-B", work / "without",
                f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={prefix}",
                f"-DCOHUB_MISSING_COMPONENTS={components}", "-DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON",
                "-DCMAKE_DISABLE_FIND_PACKAGE_XGBoost=ON")
            return
        packages = next(prefix.rglob("pkgconfig"))
        environment = dict(os.environ, PKG_CONFIG_PATH=str(packages))
        words = output("pkg-config", "--cflags", "--libs", "cohub-server", env=environment).split()
        run(compiler, "-std=c++20", *flags.split(), projects / "main.cpp", "-o", work / "consumer", *words)
        try_it(work / "consumer", work)


main()
