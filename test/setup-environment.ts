/** Before each test file: a developer's own keys, addresses and state must neither be used by a test nor change it. */
const ours =
  /^(ANTHROPIC|GITHUB|MERGEWRIGHT|QDRANT|EMBEDDINGS|ARTIFACTS|S3|WEBHOOK)_|^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|TLS_)|^(EXECUTION_MODE|MEMORY_LIMIT|CPU_LIMIT|HOST|PORT|LOG_LEVEL)$/;

/** Where set-up keeps what it installed, which the tests use too; and how long the crash test may go on. */
const kept = new Set(["MERGEWRIGHT_CACHE", "MERGEWRIGHT_FAULT_SEEDS", "MERGEWRIGHT_FAULT_SEED"]);

for (const name of Object.keys(process.env)) {
  if (ours.test(name) && !kept.has(name)) delete process.env[name];
}
