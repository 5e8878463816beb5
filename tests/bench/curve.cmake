# What phases, forecast, the guard's watch and any zoom of a long curve cost: build/bench/tests/bench_curve
find_package(benchmark REQUIRED)
add_executable(bench_curve bench_curve.cpp)
set_target_properties(bench_curve PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(bench_curve PRIVATE benchmark::benchmark loadlab_options loadlab_curve)
