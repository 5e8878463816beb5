# Tests of core/containment, and of what runs make of it.
add_executable(memory_hog memory_hog.cpp)
set_target_properties(memory_hog PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(memory_hog PRIVATE loadlab_options Threads::Threads)
# What is measured must be its own memory, not a sanitizer's.
target_compile_options(memory_hog PRIVATE -fno-sanitize=all)
target_link_options(memory_hog PRIVATE -fno-sanitize=all)

loadlab_add_test(core/tst_Containment LINK loadlab_containment)
loadlab_add_test(core/tst_Guard LINK loadlab_containment)
loadlab_add_test(core/tst_RunGroup LINK loadlab_containment)
loadlab_add_test(core/tst_KernelLog LINK loadlab_containment)
loadlab_add_test(core/tst_CommandRun LINK loadlab_trial TIMEOUT 180)
loadlab_add_test(core/tst_SlowRuns LINK loadlab_trial TIMEOUT 120)
foreach(hogging tst_RunGroup tst_CommandRun tst_SlowRuns)
    add_dependencies(${hogging} memory_hog)
endforeach()
