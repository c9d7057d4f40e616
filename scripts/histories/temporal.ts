/** What Temporal wrote down of a workflow, by its command line: the form that `temporal workflow show` gives to everybody. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const PATIENCE_MS = 5 * 60_000;
const MAX_BYTES = 64 * 1024 * 1024;

export function historyOf(address: string, workflowId: string, runId: string | null = null): Promise<string> {
  const run = runId === null ? [] : ["--run-id", runId];
  return temporal(["workflow", "show", "--address", address, "--workflow-id", workflowId, ...run]);
}

/** Temporal's ids of the executions that continued each other as new, the oldest first. */
export async function executionsOf(address: string, workflowId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let runId: string | null = null; ;) {
    const { events } = JSON.parse(await historyOf(address, workflowId, runId)) as {
      events: [
        {
          workflowExecutionStartedEventAttributes: { originalExecutionRunId: string; continuedExecutionRunId?: string };
        },
      ];
    };
    const started = events[0].workflowExecutionStartedEventAttributes;
    ids.unshift(started.originalExecutionRunId);
    if (!started.continuedExecutionRunId) return ids;
    runId = started.continuedExecutionRunId;
  }
}

export async function untilEnded(address: string, workflowId: string): Promise<void> {
  await temporal(["workflow", "result", "--address", address, "--workflow-id", workflowId]);
}

/** A workflow of this type that has ended: what a schedule starts carries the time in its id, and what works beside a run may outlast it. */
export async function endedOfType(address: string, type: string): Promise<string> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const listed = await temporal(["workflow", "list", "--address", address, "--query", query]);
    const [first] = JSON.parse(listed) as { execution: { workflowId: string } }[];
    if (first) return first.execution.workflowId;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`No ${type} has ended yet.`);
}

async function temporal(words: string[]): Promise<string> {
  const program = process.env["TEMPORAL_CLI"] ?? "temporal";
  return (await promisify(execFile)(program, [...words, "--output", "json"], { maxBuffer: MAX_BYTES })).stdout;
}
