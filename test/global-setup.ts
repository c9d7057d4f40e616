/** Once for all tests: one Temporal dev server and one workflow bundle. What cannot be had fails the tests that ask for it. */
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { startTemporalServer } from "./support/temporal-server.ts";
import { workflowBundle } from "../workers/workflow-bundle.ts";

/** A value, or why there is none. */
export type Provided<T> = { value: T } | { missing: string };

declare module "vitest" {
  interface ProvidedContext {
    temporalAddress: Provided<string>;
    temporalCli: Provided<string>;
    workflowBundle: Provided<string>;
  }
}

/** The same that a worker started from the sources uses. */
const cache = fileURLToPath(new URL("../node_modules/.cache/mergewright", import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, bundle] = await Promise.all([settle(startTemporalServer()), settle(workflowBundle(cache))]);
  project.provide("temporalAddress", "value" in server ? { value: server.value.address } : server);
  project.provide("temporalCli", "value" in server ? { value: server.value.cli } : server);
  project.provide("workflowBundle", "value" in bundle ? { value: bundle.value.codePath } : bundle);
  return async () => {
    if ("value" in server) await server.value.stop();
  };
}

async function settle<T>(promise: Promise<T>): Promise<Provided<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
