/** Our search attributes on whatever Temporal server there is, with a line in the log where they cannot be had. */
import type { Log } from "./log.ts";
import { ensureSearchAttributes as ensure, type Services } from "./temporal-namespace.ts";

/** Never throws for what Temporal says: runs can be listed by other means. */
export async function ensureSearchAttributes(connection: Services, namespace: string, log: Log): Promise<void> {
  const { added, missing, reason } = await ensure(connection, namespace);
  if (added.length > 0) log.info({ added }, "search attributes registered");
  if (reason !== null) log.warn({ missing, reason }, "search attributes could not be registered");
}
