# Cost of a sample, of decimation, of the chunk codec and of a verdict: build/bench/tests/bench_telemetry
find_package(benchmark REQUIRED)
add_executable(bench_telemetry bench_telemetry.cpp)
set_target_properties(bench_telemetry PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(bench_telemetry PRIVATE LOADLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(bench_telemetry PRIVATE benchmark::benchmark loadlab_options loadlab_telemetry loadlab_verdict)

# What sampling costs its target, and what it misses (no google-benchmark: arms in turns): build/bench/tests/bench_sampling
add_executable(bench_sampling bench_sampling.cpp)
set_target_properties(bench_sampling PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(bench_sampling PRIVATE LOADLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(bench_sampling PRIVATE loadlab_options loadlab_telemetry)
