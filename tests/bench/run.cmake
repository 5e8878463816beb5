# What the lab adds to a short run: build/bench/tests/bench_run
add_executable(bench_run bench_run.cpp)
set_target_properties(bench_run PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(bench_run PRIVATE LOADLAB_PROGRAM="$<TARGET_FILE:loadlab>")
target_link_libraries(bench_run PRIVATE loadlab_options)
add_dependencies(bench_run loadlab)
