# What storing runs costs, and finding them again among many: build/bench/tests/bench_store
find_package(benchmark REQUIRED)
add_executable(bench_store bench_store.cpp)
set_target_properties(bench_store PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_include_directories(bench_store PRIVATE ${PROJECT_SOURCE_DIR}/tests/db)
target_link_libraries(bench_store PRIVATE benchmark::benchmark loadlab_options loadlab_db SQLite3::SQLite3)
