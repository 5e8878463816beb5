# What looking at checkpoints costs, warm: build/bench/tests/bench_checkpoint
find_package(benchmark REQUIRED)

add_executable(bench_checkpoint bench_checkpoint.cpp)
set_target_properties(bench_checkpoint PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(bench_checkpoint PRIVATE LOADLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(bench_checkpoint PRIVATE loadlab_checkpoint_files loadlab_options benchmark::benchmark)
