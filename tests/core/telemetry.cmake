# Tests of core/curve, core/telemetry and core/verdict.
find_package(zstd REQUIRED)

# A process that allocates, forks and reads as it is told; the tests of telemetry watch it.
add_executable(memory_client memory_client.cpp)
set_target_properties(memory_client PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(memory_client PRIVATE loadlab_options Threads::Threads)
# What is measured must be its own memory, not a sanitizer's.
target_compile_options(memory_client PRIVATE -fno-sanitize=all)
target_link_options(memory_client PRIVATE -fno-sanitize=all)

add_executable(sampler_threads sampler_threads.cpp)
set_target_properties(sampler_threads PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(sampler_threads PRIVATE loadlab_options loadlab_telemetry)
add_test(NAME sampler_threads COMMAND sampler_threads)
set_tests_properties(sampler_threads PROPERTIES TIMEOUT 120)

loadlab_add_test(core/tst_ChunkCodec LINK loadlab_curve zstd::libzstd_shared)
loadlab_add_test(core/tst_CurveFile LINK loadlab_curve)
loadlab_add_test(core/tst_CurveSummary LINK loadlab_curve)
loadlab_add_test(core/tst_Decimate LINK loadlab_curve)
loadlab_add_test(core/tst_Forecast LINK loadlab_curve)
loadlab_add_test(core/tst_Phases LINK loadlab_curve)
loadlab_add_test(core/tst_Pyramid LINK loadlab_curve)
loadlab_add_test(core/tst_ProcessTree LINK loadlab_telemetry)
loadlab_add_test(core/tst_Sampler LINK loadlab_telemetry)
foreach(watching tst_ProcessTree tst_Sampler)
    add_dependencies(${watching} memory_client)
endforeach()
loadlab_add_test(core/tst_Rules LINK loadlab_verdict)
loadlab_add_test(core/tst_Verdict LINK loadlab_verdict)
loadlab_add_test(core/tst_Judge LINK loadlab_verdict)
loadlab_add_test(core/tst_Machine LINK loadlab_telemetry)
