/**
 * Where large payloads stand in the artifact store: by namespace, workflow type, workflow id and run, named by their digest. It is
 * the layout of Temporal's own drivers (`v0/ns/.../wt/.../wi/.../ri/.../d/sha256/...`), so that one reads what the other wrote.
 */
import { createHash } from "node:crypto";
import type { StorageDriverTargetInfo } from "@temporalio/common/lib/converter/extstore.js";

/** Beside `runs/` in the artifact store. */
export const PAYLOADS = "payloads";
/** Of one part of a key, in the artifact store. */
const MAX_PART = 200;

export function payloadKey(target: StorageDriverTargetInfo | undefined, digest: string): string {
  return storeKey(`v0${folderOf(target)}/d/sha256/${digest}`);
}

function folderOf(target: StorageDriverTargetInfo | undefined): string {
  if (target === undefined) return "";
  const [type, id] = target.kind === "workflow" ? ["wt", "wi"] : ["at", "ai"];
  return `/ns/${part(target.namespace)}/${type}/${part(target.type)}/${id}/${part(target.id)}/ri/${part(target.runId)}`;
}

/** A key of Temporal's driver as one of the artifact store: no odd characters, no part over its limit. */
export function storeKey(key: string): string {
  const parts = key.split("/").map((each) => shortened(escaped(each)));
  return `${PAYLOADS}/${parts.join("/")}`;
}

export function part(value: string | undefined): string {
  return value ? encodeURIComponent(value) : "null";
}

/** The workflow id of a folder's name; null for one that was too long to be kept whole. */
export function workflowIdOf(name: string): string | null {
  if (name.includes("~")) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    // Not written by us.
    return null;
  }
}

/** The name that a workflow id has as a folder. */
export function folderName(workflowId: string): string {
  return shortened(escaped(part(workflowId)));
}

/** What `encodeURIComponent` lets stand, and a file system or the store does not: also a dot or dash at an end. */
function escaped(text: string): string {
  return text.replace(/[!'()*~]|^[.-]|\.$/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** No escaped text holds a `~`. */
function shortened(text: string): string {
  if (text.length <= MAX_PART) return text;
  return `${text.slice(0, 100)}~${createHash("sha256").update(text).digest("hex")}`;
}
