/** A repository that goes, or gets another name: what is known of it goes along, and what is under way brings nothing back. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Memory, scopeOfRepository } from "../../domain/memory.ts";
import type { SourceRepository } from "../../domain/memory-ports.ts";
import type { Mirror } from "../../domain/ports.ts";
import { indexWorkflowId } from "../../domain/ids.ts";
import {
  client,
  DISCOUNT,
  fresh,
  memoriesOf,
  type Product,
  product,
  signal,
  until,
  written,
} from "./memory-product.ts";

/** An index stands still here after its files are written, until it is let go. */
const gate = { closed: false, waiting: 0 };
const gated = (real: Mirror): Mirror => ({
  ...real,
  has: (...args) => real.has(...args),
  fetch: (...args) => real.fetch(...args),
  source: async (...args) => {
    const source = await real.source(...args);
    const history: SourceRepository["history"] = async (...given) => {
      gate.waiting += 1;
      await until(async () => !gate.closed);
      gate.waiting -= 1;
      return source.history(...given);
    };
    return new Proxy(source, { get: (target, name) => (name === "history" ? history : bound(target, name)) });
  },
});
function bound(target: SourceRepository, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? (value as () => unknown).bind(target) : value;
}

const earlier = (id: string): Memory => ({
  kind: "taught",
  id,
  at: "2026-01-01T00:00:00.000Z",
  issue: null,
  text: `Said by ${id}.`,
  by: "mara",
});

let it1: Product;
beforeAll(async () => {
  it1 = await product({ mirror: gated });
});
const isIndexed = (repository: string): Promise<boolean> =>
  it1.memory.code.search(scopeOfRepository(repository), "discount", { limit: 1, signal }).then(
    (hits) => hits.length > 0,
    () => false,
  );
const forgotten = async (repository: string): Promise<void> => {
  await it1.deliver({ kind: "forget", repositories: [repository] }, repository);
  await written(repository);
};

describe("a repository that is forgotten", () => {
  it("stays so when a run that was under way ends, and is remembered again from the next run on", async () => {
    const repository = fresh();
    await it1.run(repository, 1, DISCOUNT, () => forgotten(repository));
    await written(repository);
    expect(await memoriesOf(it1, repository)).toEqual([]);
    expect(await isIndexed(repository)).toBe(false);
    await it1.run(repository, 2, DISCOUNT);
    await written(repository);
    expect((await memoriesOf(it1, repository)).map(({ kind }) => kind).sort()).toEqual(["resolution", "workflow"]);
    expect(await isIndexed(repository)).toBe(true);
  });

  it("stays so when it was forgotten by hand, which no workflow hears of", async () => {
    const repository = fresh();
    await it1.run(repository, 1, DISCOUNT, () =>
      it1.memory.experience.forget(scopeOfRepository(repository), {}, signal),
    );
    await written(repository);
    expect(await memoriesOf(it1, repository)).toEqual([]);
  });

  it("stays so when its index was being made: what that still writes is taken away again", async () => {
    const repository = fresh();
    gate.closed = true;
    await it1.run(repository, 1, DISCOUNT, async () => {
      await until(async () => gate.waiting > 0);
      await forgotten(repository);
      gate.closed = false;
      await until(async () => gate.waiting === 0);
    });
    await until(
      async () => !(await it1.memory.code.scopes(signal)).some(({ repository: each }) => each === repository),
    );
    // What came too late is over by now, and so is its end.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await it1.memory.code.scopes(signal)).not.toContainEqual(scopeOfRepository(repository));
  });

  it("is not indexed for a run that began before", async () => {
    const repository = fresh();
    await it1.memory.experience.forget(scopeOfRepository(repository), {}, signal);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await it1.memory.experience.leave(scopeOfRepository(repository), { at: later, to: null }, signal);
    await it1.run(repository, 1, DISCOUNT);
    expect(await client.workflow.getHandle(indexWorkflowId(repository)).result()).toBeNull();
    expect(await isIndexed(repository)).toBe(false);
  });
});

describe("a repository that is renamed", () => {
  it("takes along what is known of it, also what a run that was under way leaves, and finds nothing of an earlier one", async () => {
    const [from, to] = [fresh(), fresh()];
    const { experience } = it1.memory;
    await experience.store(scopeOfRepository(from), [earlier("taught-ours")], signal);
    await experience.store(scopeOfRepository(to), [earlier("taught-theirs")], signal);
    await it1.run(from, 1, DISCOUNT, async () => {
      await it1.deliver({ kind: "rename", from, to }, to);
      await written(from);
      await written(to);
      expect((await memoriesOf(it1, to)).map(({ id }) => id)).toEqual(["taught-ours"]);
      expect(await isIndexed(from)).toBe(false);
    });
    await written(from);
    await written(to);
    expect(await memoriesOf(it1, from)).toEqual([]);
    expect((await memoriesOf(it1, to)).map(({ kind }) => kind).sort()).toEqual(["resolution", "taught", "workflow"]);
  });

  it("and back again keeps all of it", async () => {
    const [one, other] = [fresh(), fresh()];
    await it1.memory.experience.store(scopeOfRepository(one), [earlier("taught-1")], signal);
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await it1.deliver({ kind: "rename", from, to }, to);
      await written(from);
      await written(to);
    }
    expect(await memoriesOf(it1, one)).toEqual([earlier("taught-1")]);
    expect(await memoriesOf(it1, other)).toEqual([]);
    // Told again, by a second webhook that has no time of its own: it has happened already.
    await it1.deliver({ kind: "rename", from: other, to: one }, one, new Date().toISOString());
    await written(other);
    await written(one);
    expect(await memoriesOf(it1, one)).toEqual([earlier("taught-1")]);
  });

  it("with its whole account is found under the account's new name, and a run under way leaves what it learns there", async () => {
    const [from, to] = [fresh().replace("/", "-"), fresh().replace("/", "-")];
    const [known, unknown] = [`${from}/known`, `${from}/unknown`];
    await it1.memory.experience.store(scopeOfRepository(known), [earlier("taught-1")], signal);
    await it1.run(unknown, 1, DISCOUNT, async () => {
      await it1.deliver({ kind: "rename", from, to }, to);
      await written(known);
      await written(`${to}/known`);
    });
    await written(unknown);
    await written(`${to}/unknown`);
    expect(await memoriesOf(it1, `${to}/known`)).toEqual([earlier("taught-1")]);
    expect(await memoriesOf(it1, `${to}/unknown`)).toHaveLength(2);
    for (const repository of [known, unknown]) {
      expect(await memoriesOf(it1, repository)).toEqual([]);
      expect(await isIndexed(repository)).toBe(false);
    }
  });
});
