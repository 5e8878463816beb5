#include "core/worker/Protocol.h"
