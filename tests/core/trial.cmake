# Tests of core/worker and core/trial.
add_subdirectory(../fake_worker ${CMAKE_BINARY_DIR}/tests/fake_worker)
loadlab_add_test(core/tst_JsonLineReader LINK loadlab_worker)
loadlab_add_test(core/tst_PluginManifest LINK loadlab_worker)
loadlab_add_test(core/tst_Protocol LINK loadlab_worker)
loadlab_add_test(core/tst_WorkerProcess LINK loadlab_worker)
loadlab_add_test(core/tst_BootLog LINK loadlab_trial)
loadlab_add_test(core/tst_RunAccount LINK loadlab_trial)
loadlab_add_test(core/tst_RunEvents LINK loadlab_trial)
loadlab_add_test(core/tst_SignsOfLife LINK loadlab_trial)
loadlab_add_test(core/tst_TrialRunner LINK loadlab_trial TIMEOUT 180)
add_dependencies(tst_TrialRunner fake-worker)

# A lab in a process of its own, to be killed.
add_executable(trial-host trial_host.cpp)
target_link_libraries(trial-host PRIVATE loadlab_trial loadlab_options)
set_target_properties(trial-host PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
loadlab_add_test(core/tst_LostLab LINK loadlab_worker)
add_dependencies(tst_LostLab trial-host fake-worker)
