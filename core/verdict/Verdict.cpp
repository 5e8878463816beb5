#include "core/verdict/Verdict.h"
