#include "core/trial/RunResult.h"
