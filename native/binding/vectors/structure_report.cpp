#include "binding/vectors/structure_report.h"

namespace semantic_index {

Napi::Object structure_report(Napi::Env env, const StructureReport& report) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("errors", static_cast<double>(report.errors));
  result.Set("trees", report.trees);
  result.Set("items", report.items);
  result.Set("holes", report.holes);
  Napi::Array findings = Napi::Array::New(env, report.findings.size());
  for (size_t index = 0; index < report.findings.size(); index++) {
    const Finding& finding = report.findings[index];
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("defect", defect_name(finding.defect));
    entry.Set("tree", finding.tree);
    entry.Set("node", finding.node);
    entry.Set("item", finding.item);
    findings.Set(static_cast<uint32_t>(index), entry);
  }
  result.Set("findings", findings);
  return result;
}

}  // namespace semantic_index
