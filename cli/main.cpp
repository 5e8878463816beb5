#include "cli/Output.h"
#include "cli/Program.h"

int main(int argc, char** argv)
{
    loadlab::cli::secureStandardStreams();
    return loadlab::cli::runProgram({argv + (argc > 0 ? 1 : 0), argv + argc});
}
