# Finds libtorch: Debian's, or the one in LOADLAB_TORCH_DIR (the 'torch' folder of a PyTorch wheel). Sets TORCH_LIBRARIES and
# LOADLAB_TORCH_PACKAGE_VERSION (Debian's package, else empty).

# What an earlier configuration found is worth nothing once the folder changed: find_package and find_library would keep it.
if(NOT "${LOADLAB_TORCH_DIR}" STREQUAL "${LOADLAB_TORCH_DIR_SEEN}")
    foreach(found Torch_DIR Caffe2_DIR TORCH_LIBRARY C10_LIBRARY c10_LIBRARY C10_CUDA_LIBRARY c10_cuda_LIBRARY kineto_LIBRARY)
        unset(${found} CACHE)
    endforeach()
endif()
set(LOADLAB_TORCH_DIR_SEEN "${LOADLAB_TORCH_DIR}" CACHE INTERNAL "The folder that the cached libtorch came from")

set(LOADLAB_TORCH_PACKAGE_VERSION "")
if(LOADLAB_TORCH_DIR)
    if(NOT EXISTS "${LOADLAB_TORCH_DIR}/share/cmake/Torch/TorchConfig.cmake")
        message(FATAL_ERROR "LOADLAB_TORCH_DIR is ${LOADLAB_TORCH_DIR}, which holds no share/cmake/Torch/TorchConfig.cmake. "
            "It has to be the 'torch' folder of a wheel: python3 -c 'import torch, os; print(os.path.dirname(torch.__file__))'")
    endif()
    # The folder itself, not share/cmake: TorchConfig.cmake looks for libc10 with find_library, which would else take that of
    # Debian's libtorch-dev when it is installed too.
    list(PREPEND CMAKE_PREFIX_PATH "${LOADLAB_TORCH_DIR}")
    find_package(Torch REQUIRED)
    foreach(library IN LISTS TORCH_LIBRARIES)
        if(IS_ABSOLUTE "${library}" AND library MATCHES "lib(c10|torch)" AND NOT library MATCHES "^${LOADLAB_TORCH_DIR}/")
            message(FATAL_ERROR "libtorch of ${LOADLAB_TORCH_DIR} was to be used, but ${library} was found")
        endif()
    endforeach()
    if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
        message(FATAL_ERROR "The libtorch in ${LOADLAB_TORCH_DIR} is built with the old C++ ABI and cannot be linked; take a wheel of PyTorch 2.7 or newer")
    endif()
else()
    find_package(Torch QUIET)
    if(NOT Torch_FOUND)
        message(FATAL_ERROR "libtorch was not found. Install it: sudo apt install libtorch-dev\n"
            "or give the 'torch' folder of a PyTorch wheel: -DLOADLAB_TORCH_DIR=…\n"
            "or build without the libtorch worker: -DLOADLAB_LIBTORCH=OFF")
    endif()
    find_program(LOADLAB_DPKG_QUERY dpkg-query)
    mark_as_advanced(LOADLAB_DPKG_QUERY)
    if(LOADLAB_DPKG_QUERY)
        execute_process(COMMAND ${LOADLAB_DPKG_QUERY} -W -f "\${Version}" libtorch-dev
            OUTPUT_VARIABLE LOADLAB_TORCH_PACKAGE_VERSION ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
endif()
message(STATUS "libtorch worker: ${TORCH_INSTALL_PREFIX} ${LOADLAB_TORCH_PACKAGE_VERSION}")
