/** Workflows that send payloads every way there is. */
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";

const { echo, fail } = proxyActivities<{ echo(text: string): Promise<string>; fail(text: string): Promise<never> }>({
  startToCloseTimeout: "10s",
  retry: { maximumAttempts: 1 },
});
export const said = defineSignal<[{ text: string }]>("said");
export const heard = defineQuery<string[]>("heard");

/** Says the text through an activity and a child, then waits to be told something. */
export async function conversation(text: string): Promise<string> {
  const all: string[] = [];
  setHandler(said, ({ text: more }) => void all.push(more));
  setHandler(heard, () => all);
  const echoed = await echo(text);
  all.push(await executeChild(child, { args: [echoed], workflowId: `${workflowInfo().workflowId}/child` }));
  await condition(() => all.length > 1);
  return all.join();
}

/** Goes on with a new history at once, then waits to be told something. */
export async function renewed(text: string, renewedAlready = false): Promise<string> {
  if (!renewedAlready) await continueAsNew<typeof renewed>(text, true);
  let more: string | null = null;
  setHandler(said, (told) => void (more = told.text));
  await condition(() => more !== null);
  return `${text},${more}`;
}

export async function child(text: string): Promise<string> {
  return text;
}

export async function failing(text: string): Promise<void> {
  await fail(text);
}

export async function goodUpkeep(): Promise<void> {}

export async function partialUpkeep(): Promise<unknown> {
  return { failed: [{ account: "mallory/any", reason: "The token was refused (401).", since: "" }] };
}

export async function badUpkeep(): Promise<void> {
  throw ApplicationFailure.nonRetryable("it cannot be done");
}
