# Fails when a folder includes what lies above it, or a library that it must not know. Linking alone does not show it:
# with one include root every header can be reached.
cmake_policy(SET CMP0057 NEW)

# folder | regex of includes it must not have
set(rules
    "core/|[<\"](Q[A-Z]|Qt|q[a-z]+\\.h|torch/|ATen/|c10/|db/|gui/|cli/|plugins/|sqlite3|SQLiteCpp)"
    "core/checkpoint/|[<\"]core/(curve|telemetry|worker|verdict|trial)/"
    "core/curve/|[<\"]core/(checkpoint|telemetry|worker|verdict|trial)/"
    "core/telemetry/|[<\"]core/(checkpoint|worker|verdict|trial)/"
    "core/worker/|[<\"]core/(checkpoint|curve|telemetry|verdict|trial)/"
    "core/verdict/|[<\"]core/trial/"
    "db/|[<\"](Q[A-Z]|Qt|torch/|ATen/|c10/|gui/|cli/|plugins/)"
    "cli/|[<\"](Q[A-Z]|Qt|torch/|ATen/|c10/|gui/|plugins/|sqlite3|SQLiteCpp)"
    "plugins/|[<\"](Q[A-Z]|Qt|db/|gui/|cli/|sqlite3|SQLiteCpp|core/(trial|verdict|telemetry)/)"
    "gui/|[<\"](torch/|ATen/|c10/|cli/|plugins/|sqlite3|SQLiteCpp)")

set(broken "")
set(checked 0)
foreach(rule IN LISTS rules)
    string(FIND "${rule}" "|" bar)
    string(SUBSTRING "${rule}" 0 ${bar} folder)
    math(EXPR rest "${bar} + 1")
    string(SUBSTRING "${rule}" ${rest} -1 forbidden)
    file(GLOB_RECURSE sources "${SOURCE}/${folder}*.h" "${SOURCE}/${folder}*.cpp")
    foreach(source IN LISTS sources)
        math(EXPR checked "${checked} + 1")
        file(STRINGS "${source}" includes REGEX "^[ \t]*#[ \t]*include")
        foreach(line IN LISTS includes)
            if(line MATCHES "${forbidden}")
                file(RELATIVE_PATH short "${SOURCE}" "${source}")
                string(APPEND broken "  ${short}: ${line}\n")
            endif()
        endforeach()
    endforeach()
endforeach()
if(checked LESS 20)
    message(FATAL_ERROR "only ${checked} files seen below ${SOURCE}: the check looks in the wrong place")
endif()
if(broken)
    message(FATAL_ERROR "includes that point back (core <- db <- gui, cli; core <- plugins):\n${broken}")
endif()
message(STATUS "${checked} files point the right way")
