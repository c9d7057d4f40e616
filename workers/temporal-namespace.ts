/** What a Temporal namespace must have for us: history kept long enough, and our search attributes. */
import type { Connection } from "@temporalio/client";
import proto from "@temporalio/proto";
import { searchAttributes } from "../workflows/search-attributes.ts";
import { isStatus } from "./grpc.ts";

/** A client's connection and a worker's alike. */
export type Services = Pick<Connection, "operatorService" | "workflowService">;

/** An issue may wait for its reviewer over a holiday, and its run must still be there afterwards. */
export const MIN_RETENTION_DAYS = 30;

const DAY_SECONDS = 24 * 60 * 60;

export interface SearchAttributeReport {
  /** Were missing and stand there now. */
  added: string[];
  /** Are missing still. Runs cannot be listed by them, and a run that sets them fails. */
  missing: string[];
  /** Why they could not be looked up or added; null when all went well. */
  reason: string | null;
}

/** Registers our search attributes where the namespace lacks them. Without the permission to do so it only reports. */
export async function ensureSearchAttributes(connection: Services, namespace: string): Promise<SearchAttributeReport> {
  try {
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing.length === 0) return { added: [], missing: [], reason: null };
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, typeOf(name)])),
      });
    } catch (error) {
      // Another worker that starts at the same moment may have been faster.
      const still = await missingSearchAttributes(connection, namespace);
      if (still.length > 0) return { added: [], missing: still, reason: refusal(error) };
    }
    return { added: missing, missing: [], reason: null };
  } catch (error) {
    return { added: [], missing: [], reason: refusal(error) };
  }
}

/** Throws what Temporal throws. */
export async function missingSearchAttributes(connection: Services, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return searchAttributes.map((key) => key.name).filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
}

/** Days for which closed runs are kept; null when the server does not tell. Throws what Temporal throws. */
export async function retentionDays(connection: Services, namespace: string): Promise<number | null> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const seconds = config?.workflowExecutionRetentionTtl?.seconds;
  return seconds === null || seconds === undefined ? null : Number(seconds) / DAY_SECONDS;
}

/** Raises the retention to {@link MIN_RETENTION_DAYS}; never lowers it. For servers of our own only. */
export async function ensureRetention(connection: Services, namespace: string): Promise<void> {
  const days = await retentionDays(connection, namespace);
  if (days !== null && days >= MIN_RETENTION_DAYS) return;
  const ttl = proto.google.protobuf.Duration.fromObject({ seconds: MIN_RETENTION_DAYS * DAY_SECONDS });
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: ttl } });
}

function typeOf(name: string): number {
  const key = searchAttributes.find((attribute) => attribute.name === name);
  return proto.temporal.api.enums.v1.IndexedValueType[`INDEXED_VALUE_TYPE_${key!.type}`];
}

function refusal(error: unknown): string {
  const { details, message } = error as { details?: string; message?: string };
  const said = details || message || String(error);
  // Temporal Cloud answers so to operator calls.
  return isStatus(error, "permission denied", "unimplemented", "unauthenticated")
    ? `This account may not manage search attributes (${said}). Ask whoever runs the Temporal server to register them.`
    : said;
}
