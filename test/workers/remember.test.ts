/** What the store of the memory refuses for good is set aside, and holds up nothing that comes after it. */
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger, type LogEntry } from "@temporalio/worker";
import { expect, it } from "vitest";
import { createRemember, type RememberParts } from "../../activities/remember.ts";
import type { StoreReport } from "../../activities/memory-contract.ts";
import { RequestRefused, ServiceUnavailable } from "../../domain/errors.ts";
import type { Memory } from "../../domain/memory.ts";

const memories = ["a", "bad", "c"].map((id) => ({ kind: "taught", id, issue: null, text: id }) as Memory);

it("A memory that was forgotten is not written again by what is to be noted on it", async () => {
  const kept: string[] = [];
  const known = memories.slice(1);
  const experience = {
    departure: async () => null,
    list: async (_: unknown, { ids }: { ids?: string[] }) => known.filter(({ id }) => ids?.includes(id)),
    store: async (_: unknown, given: readonly Memory[]) => {
      kept.push(...given.map(({ id }) => id));
      return { lacking: null };
    },
  };
  const { storeMemories } = createRemember({ memory: { experience }, secrets: [] } as unknown as RememberParts);
  const since = new Date().toISOString();
  await new MockActivityEnvironment().run(() =>
    storeMemories({ repository: "acme/shop", memories, since, revised: true }),
  );
  expect(kept).toEqual(["bad", "c"]);
});

/** A store that takes everything but `bad`. */
async function store(refusal: Error): Promise<{ report: StoreReport; kept: string[]; logged: LogEntry[] }> {
  const kept: string[] = [];
  const logged: LogEntry[] = [];
  const experience = {
    store: async (_: unknown, given: readonly Memory[]) => {
      if (given.some(({ id }) => id === "bad")) throw refusal;
      kept.push(...given.map(({ id }) => id));
      return { lacking: null };
    },
  };
  const { storeMemories } = createRemember({ memory: { experience }, secrets: [] } as unknown as RememberParts);
  const logger = new DefaultLogger("INFO", (entry) => void logged.push(entry));
  const report = await new MockActivityEnvironment({}, { logger }).run(() =>
    storeMemories({ repository: "acme/shop", memories }),
  );
  return { report: report as StoreReport, kept, logged };
}

it.each([400, 413, 422])(
  "A memory that the store refuses with %i is set aside, named as an error, and told of",
  async (status) => {
    const { report, kept, logged } = await store(new RequestRefused("qdrant", status, "Qdrant refused the request."));
    expect(report).toEqual({ refused: ["bad"], lacking: null });
    expect(kept).toEqual(["a", "c"]);
    const errors = logged.filter(({ level }) => level === "ERROR");
    expect(errors).toMatchObject([
      { meta: { id: "bad", repository: "acme/shop", reason: "Qdrant refused the request." } },
    ]);
  },
);

it.each([
  ["a store that is away", new ServiceUnavailable("qdrant", "Qdrant is away.")],
  ["a store that is not where it should be", new RequestRefused("qdrant", 404, "Nothing is here.")],
])("%s keeps all of them waiting, and loses none", async (_, error) => {
  await expect(store(error)).rejects.toThrow(error.message);
});
