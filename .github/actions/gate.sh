#!/usr/bin/env bash
# Runs assay gate for action.yml: writes its verdict to the summary, to outputs and to the pull request.
# Exit code: that of assay gate; 0 instead of 3 (not enough data to tell) where GATE_UNDECIDED is pass.
set -euo pipefail

case "${GATE_UNDECIDED:-fail}" in
  fail | pass) ;;
  *) echo "::error::undecided is '$GATE_UNDECIDED'. Write fail or pass." && exit 2 ;;
esac
written="$(mktemp -d)"
trap 'rm -rf "$written"' EXIT
arguments=("--baseline=$GATE_BASELINE" "--store=${GATE_STORE:-assay-store}" "--markdown=$written/gate.md")
arguments+=("--max-regression=${GATE_MAX_REGRESSION:-0.5pt}")
[ -z "${GATE_METHOD:-}" ] || arguments+=("--method=$GATE_METHOD")
while IFS= read -r task; do
  [ -z "$task" ] || arguments+=("--task=$task")
done <<< "${GATE_TASKS:-}"
[ -z "${GATE_MODEL:-}" ] || arguments+=("--" "$GATE_MODEL")

code=0
assay gate "${arguments[@]}" || code=$?
case $code in
  0) verdict="pass" ;;
  1) verdict="fail" ;;
  3) verdict="not enough data to tell" ;;
  *) verdict="error" ;;
esac
if [ ! -f "$written/gate.md" ]; then  # assay has printed why
  verdict="error"
  echo "### assay gate stopped with exit code $code. The log of this step says why." > "$written/gate.md"
fi
cat "$written/gate.md" >> "$GITHUB_STEP_SUMMARY"
{
  echo "verdict=$verdict"
  echo "exit-code=$code"
} >> "$GITHUB_OUTPUT"

if [ "${GATE_COMMENT:-true}" = true ] && [ -n "${PULL_REQUEST:-}" ]; then
  gh pr comment "$PULL_REQUEST" --body-file "$written/gate.md" --edit-last --create-if-none ||
    echo "::warning::The comment was not written. Allow it with 'permissions: pull-requests: write'."
fi
[ "$code" -ne 3 ] || [ "${GATE_UNDECIDED:-fail}" != pass ] || code=0
exit "$code"
