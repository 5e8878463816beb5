# Fails when a folder includes or links what lies above it, or a library that it must not know. Neither shows the other:
# with one include root every header can be reached, and a target can be linked for nothing.
cmake_policy(SET CMP0057 NEW)

# folder | regex of includes it must not have. core/trial stands on all the rest of core; nothing in core on it.
set(include_rules
    "core/|[<\"](Q[A-Z]|Qt|q[a-z]+\\.h|torch/|ATen/|c10/|db/|gui/|cli/|plugins/|sqlite3|SQLiteCpp)"
    "core/*|[<\"]core/[a-z]+/"
    "core/checkpoint/|[<\"]core/(curve|telemetry|containment|worker|verdict|trial)/"
    "core/curve/|[<\"]core/(checkpoint|telemetry|containment|worker|verdict|trial)/"
    "core/telemetry/|[<\"]core/(checkpoint|containment|worker|verdict|trial)/"
    "core/containment/|[<\"]core/(checkpoint|worker|verdict|trial)/"
    "core/worker/|[<\"]core/(checkpoint|curve|telemetry|containment|verdict|trial)/"
    "core/verdict/|[<\"]core/(containment|trial)/"
    "db/|[<\"](Q[A-Z]|Qt|torch/|ATen/|c10/|gui/|cli/|plugins/)"
    "cli/|[<\"](Q[A-Z]|Qt|torch/|ATen/|c10/|gui/|plugins/|sqlite3|SQLiteCpp)"
    "plugins/|[<\"](Q[A-Z]|Qt|db/|gui/|cli/|sqlite3|SQLiteCpp|core/(trial|verdict|containment|telemetry)/)"
    "gui/|[<\"](torch/|ATen/|c10/|cli/|plugins/|sqlite3|SQLiteCpp)")

# folder of a target | regex of what it must not link
set(link_rules
    "core/| (Qt|torch|c10|SQLite|loadlab_(db|cli|gui|charts|widgets|libtorch))"
    "core/checkpoint/| loadlab_(curve|telemetry|containment|worker|verdict|trial|core) "
    "core/curve/| loadlab_(checkpoint|telemetry|containment|worker|verdict|trial|core) "
    "core/telemetry/| loadlab_(checkpoint|containment|worker|verdict|trial|core) "
    "core/containment/| loadlab_(checkpoint|worker|verdict|trial|core) "
    "core/worker/| loadlab_(checkpoint|curve|telemetry|containment|verdict|trial|core) "
    "core/verdict/| loadlab_(containment|trial|core) "
    "db/| (Qt|torch|c10|loadlab_(cli|gui|charts|widgets|libtorch))"
    "cli/| (Qt|torch|c10|SQLite|loadlab_(gui|charts|widgets|libtorch))"
    "plugins/| (Qt|SQLite|loadlab_(db|cli|gui|charts|widgets|trial|verdict|containment|telemetry|core))"
    "gui/| (torch|c10|SQLite|loadlab_(cli|libtorch))")

set(broken "")
set(checked 0)
function(split_rule rule)
    string(FIND "${rule}" "|" bar)
    string(SUBSTRING "${rule}" 0 ${bar} folder)
    math(EXPR rest "${bar} + 1")
    string(SUBSTRING "${rule}" ${rest} -1 forbidden)
    set(folder "${folder}" PARENT_SCOPE)
    set(forbidden "${forbidden}" PARENT_SCOPE)
endfunction()

foreach(rule IN LISTS include_rules)
    split_rule("${rule}")
    if(folder MATCHES "\\*$") # the folder itself
        file(GLOB sources "${SOURCE}/${folder}.h" "${SOURCE}/${folder}.cpp")
    else()
        file(GLOB_RECURSE sources "${SOURCE}/${folder}*.h" "${SOURCE}/${folder}*.cpp")
    endif()
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

file(STRINGS "${LINKS}" targets)
list(LENGTH targets target_count)
if(target_count LESS 10)
    message(FATAL_ERROR "only ${target_count} targets in ${LINKS}: the check looks in the wrong place")
endif()
foreach(rule IN LISTS link_rules)
    split_rule("${rule}")
    foreach(target IN LISTS targets)
        if(target MATCHES "^${folder}[^|]*\\|([^|]+)\\|(.*)$")
            set(name "${CMAKE_MATCH_1}")
            if("${CMAKE_MATCH_2}" MATCHES "${forbidden}")
                string(APPEND broken "  target ${name} links${CMAKE_MATCH_0}\n")
            endif()
        endif()
    endforeach()
endforeach()

if(broken)
    message(FATAL_ERROR "what points back (core <- db <- gui, cli; core <- plugins):\n${broken}")
endif()
message(STATUS "${checked} files and ${target_count} targets point the right way")
