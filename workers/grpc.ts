/** What a Temporal server answers in the place of a result: a status of gRPC, by its name. */

/** @see https://grpc.io/docs/guides/status-codes/ */
const CODES = {
  "deadline exceeded": 4,
  "not found": 5,
  "permission denied": 7,
  "resource exhausted": 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export function isStatus(error: unknown, ...statuses: (keyof typeof CODES)[]): boolean {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return statuses.some((status) => CODES[status] === code);
}
