/** Which workflows have large payloads in the artifact store, and how those of one are removed with it. */
import type { Artifacts } from "../../domain/ports.ts";
import { folderName, part, PAYLOADS, workflowIdOf } from "./keys.ts";

/** Each once. Those whose id is too long to be told from its folder are left out. */
export async function workflowsWithPayloads(store: Artifacts, namespace: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const folder of idFolders(store, namespace)) {
    for await (const name of store.folders(folder)) {
      const id = workflowIdOf(name);
      if (id !== null && id !== "null") ids.add(id);
    }
  }
  return ids;
}

export async function removePayloads(
  store: Artifacts,
  namespace: string,
  workflowId: string,
  writtenBefore?: Date,
): Promise<void> {
  for (const folder of await payloadFolders(store, namespace, workflowId)) await store.remove(folder, writtenBefore);
}

/** When the last of them was written; null where there are none. */
export async function lastPayloadAt(store: Artifacts, namespace: string, workflowId: string): Promise<Date | null> {
  let last: Date | null = null;
  for (const folder of await payloadFolders(store, namespace, workflowId))
    for await (const { changedAt } of store.list(folder)) if (last === null || changedAt > last) last = changedAt;
  return last;
}

/** A workflow's own, and what others sent it without naming its type. */
async function payloadFolders(store: Artifacts, namespace: string, workflowId: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const folder of idFolders(store, namespace)) folders.push(`${folder}/${folderName(workflowId)}`);
  return folders;
}

async function* idFolders(store: Artifacts, namespace: string): AsyncIterable<string> {
  const types = `${PAYLOADS}/v0/ns/${part(namespace)}/wt`;
  for await (const type of store.folders(types)) yield `${types}/${type}/wi`;
}
