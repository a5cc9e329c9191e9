#ifndef SEMANTIC_INDEX_BINDING_VECTORS_STRUCTURE_REPORT_H_
#define SEMANTIC_INDEX_BINDING_VECTORS_STRUCTURE_REPORT_H_

#include <napi.h>

#include "annoy/validate.h"

namespace semantic_index {

/** The report as a plain object of JavaScript. */
Napi::Object structure_report(Napi::Env env, const StructureReport& report);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_VECTORS_STRUCTURE_REPORT_H_
