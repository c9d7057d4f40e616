import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMemoryConfig } from "../../config/memory.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { type Memory, type Resolution, scopeOfRepository } from "../../domain/memory.ts";
import type { Experience } from "../../domain/memory-ports.ts";
import type { Embedder } from "../../memory/dense/embedder.ts";
import { denseScale } from "../../memory/experience/dense-scale.ts";
import { createExperience } from "../../memory/experience/experience.ts";
import { exportLines, importLines, readLines } from "../../memory/experience/lines.ts";
import { calibrated, corpusOf, cosine, wordsIn } from "../../memory/experience/similarity.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import type { PointStore } from "../../memory/store/store.ts";
import { createMemory } from "../../workers/memory.ts";
import { type PlayedQdrant, playQdrant } from "./played-qdrant.ts";

const signal = new AbortController().signal;
const acme = scopeOfRepository("Acme/Shop");

let folder: string;
let played: PlayedQdrant;
const opened: PointStore[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-experience-"));
  played = await playQdrant();
});
afterAll(async () => {
  for (const store of opened) await store.close();
  await played.close();
  await rm(folder, { recursive: true, force: true });
});

let files = 0;
const stores: Record<string, () => PointStore> = {
  embedded: () => openEmbeddedStore(join(folder, `memory-${(files += 1)}.db`)),
  Qdrant: () => openQdrantStore({ url: played.url, apiKey: null }),
};

function resolution(issue: number, title: string, problem: string, more: Partial<Resolution> = {}): Resolution {
  return {
    kind: "resolution",
    id: `resolution-run-${issue}`,
    at: `2026-01-${String(issue).padStart(2, "0")}T00:00:00.000Z`,
    issue,
    title,
    problem,
    category: "bug",
    cause: null,
    files: [],
    change: null,
    evidence: null,
    outcome: "merged",
    reason: null,
    pullRequest: issue + 100,
    mergeSha: "a".repeat(40),
    reverted: false,
    ...more,
  };
}

const invoices = resolution(
  1,
  "Invoice total is wrong when a discount is applied",
  "The invoice shows 10 EUR too much when a percentage discount is applied to more than one line.",
);
const login = resolution(
  2,
  "Login page crashes on an empty password",
  "Submitting the login form without a password throws a TypeError in validateCredentials.",
);
const others = [
  resolution(3, "Dark mode has unreadable links", "Links are blue on black in the dark theme of the settings page."),
  resolution(
    4,
    "Export to CSV drops umlauts",
    "Names with umlauts are cut in the exported CSV file, encoding is latin1.",
  ),
];
const lesson: Memory = {
  kind: "lesson",
  id: "lesson-run-1-1",
  at: "2026-01-01T00:00:00.000Z",
  issue: 1,
  text: "Amounts are kept in cents; round once, at the end.",
  confirmed: true,
  of: invoices.id,
};

for (const [name, open] of Object.entries(stores)) {
  describe(`experience in ${name}`, () => {
    let experience: Experience;
    let store: PointStore;
    beforeAll(async () => {
      store = open();
      opened.push(store);
      experience = createExperience({ store, embedder: null });
      for (const scope of await experience.scopes(signal)) await experience.forget(scope, {}, signal);
    });

    it("is stored once however often it is written, and listed with the newest first", async () => {
      await experience.store(acme, [invoices, login], signal);
      await experience.store(acme, [login, ...others, lesson], signal);
      const listed = await experience.list(acme, {}, signal);
      expect(listed.map(({ id }) => id)).toEqual([
        "resolution-run-4",
        "resolution-run-3",
        "resolution-run-2",
        "resolution-run-1",
        "lesson-run-1-1",
      ]);
      expect(listed).toContainEqual(invoices);
      expect(await experience.list(acme, { issue: 1, kinds: ["lesson"] }, signal)).toEqual([lesson]);
    });

    it("tells the similar issue of unlike ones by a score that passes the usual threshold", async () => {
      const text = "Wrong sum on invoices\nWith a discount of 10 percent the total of the invoice is too high.";
      const found = await experience.search(acme, text, { kinds: ["resolution"], limit: 5, threshold: 0.7, signal });
      expect(found.map(({ memory }) => memory.issue)).toEqual([1]);
      const nothing = "Please translate the documentation into Portuguese";
      expect(await experience.search(acme, nothing, { limit: 5, threshold: 0.7, signal })).toEqual([]);
    });

    it("finds what a person taught, under one id for the same words, apart from what was learnt", async () => {
      const said = {
        text: " Never edit generated/api.ts by hand. ",
        by: "Mara",
        issue: null,
        at: "2026-02-01T00:00:00.000Z",
      };
      await experience.store(acme, [experience.taught(said)], signal);
      await experience.store(acme, [experience.taught({ ...said, by: "mara", text: said.text.trim() })], signal);
      const taught = await experience.list(acme, { kinds: ["taught"] }, signal);
      expect(taught).toMatchObject([{ kind: "taught", text: "Never edit generated/api.ts by hand." }]);
      const [first] = await experience.search(acme, "who writes generated/api.ts?", { limit: 1, signal });
      expect(first!.memory.kind).toBe("taught");
      expect((await store.groups({ tenant: "acme", repository: "acme/shop#experience" }, "taught:", signal)).size).toBe(
        1,
      );
    });

    it("never crosses the line to another repository or tenant", async () => {
      const foreign = [scopeOfRepository("acme/other"), scopeOfRepository("rival/shop"), { ...acme, tenant: "rival" }];
      for (const scope of foreign) {
        expect(await experience.list(scope, {}, signal)).toEqual([]);
        expect(await experience.search(scope, invoices.title, { limit: 5, signal })).toEqual([]);
        expect(await experience.forget(scope, {}, signal)).toEqual([]);
      }
      await experience.store(foreign[1]!, [{ ...login, title: "of the rival" }], signal);
      expect(await experience.list(acme, { id: login.id }, signal)).toEqual([login]);
      expect((await experience.scopes(signal)).map(({ tenant }) => tenant).sort()).toEqual(["acme", "rival"]);
      await experience.forget(foreign[1]!, {}, signal);
      expect(await experience.list(acme, { id: login.id }, signal)).toEqual([login]);
    });

    it("is seen by another process at once, also after a change and a removal", async () => {
      const other = createExperience({ store: name === "embedded" ? store : open(), embedder: null });
      await experience.store(acme, [{ ...login, reverted: true }], signal);
      expect(await other.list(acme, { id: login.id }, signal)).toMatchObject([{ reverted: true }]);
      await experience.forget(acme, { id: login.id }, signal);
      expect(await other.list(acme, { id: login.id }, signal)).toEqual([]);
    });

    it("is refused where it could not be read again from an export, and the others are as they were", async () => {
      const before = await experience.list(acme, {}, signal);
      const long = { ...lesson, id: "lesson-long", text: "x".repeat(1_001) };
      const unnamed = { ...experience.taught({ text: "A", by: "b".repeat(101), issue: null, at: login.at }) };
      await expect(experience.store(acme, [{ ...lesson, id: "lesson-good" }, unnamed], signal)).rejects.toThrow(
        /The memory taught-\w+ cannot be kept: by: /,
      );
      await expect(experience.store(acme, [{ ...login, issue: -1 }], signal)).rejects.toThrow("cannot be kept: issue");
      expect(await experience.list(acme, {}, signal)).toEqual(before);
      // A text is cut, as it is where a secret is taken out.
      await experience.store(acme, [long], signal);
      await experience.forget(acme, { id: long.id }, signal);
    });

    it("is moved as JSON lines, and comes back the same", async () => {
      const lines = (await exportLines(experience, acme, signal)).join("");
      const before = await experience.list(acme, {}, signal);
      await experience.forget(acme, {}, signal);
      expect(await experience.scopes(signal)).toEqual([]);
      expect(await importLines(experience, readLines(lines), signal)).toEqual([
        { repository: "acme/shop", memories: before.length },
      ]);
      expect(await experience.list(acme, {}, signal)).toEqual(before);
    });

    it("keeps what another process stores while all of the others are forgotten, and shows its repository again", async () => {
      const scope = scopeOfRepository("acme/busy");
      await experience.store(scope, [login], signal);
      const meanwhile = () => experience.store(scope, [lesson], signal);
      const slow: PointStore = {
        ...store,
        write: async (...change) => {
          await meanwhile();
          await store.write(...change);
        },
        forget: async (...named) => {
          await meanwhile();
          await store.forget(...named);
        },
      };
      const forgotten = await createExperience({ store: slow, embedder: null }).forget(scope, {}, signal);
      expect(forgotten).toEqual([login.id]);
      expect(await experience.list(scope, {}, signal)).toEqual([lesson]);
      expect(await experience.scopes(signal)).toContainEqual(scope);
      await experience.forget(scope, {}, signal);
      expect(await experience.scopes(signal)).not.toContainEqual(scope);
    });

    it("is forgotten by issue and by id, and tells what was forgotten", async () => {
      expect(await experience.forget(acme, { issue: 1 }, signal)).toEqual([invoices.id, lesson.id]);
      expect(await experience.forget(acme, { id: "resolution-run-3" }, signal)).toEqual(["resolution-run-3"]);
      expect((await experience.list(acme, {}, signal)).map(({ id }) => id)).not.toContain(invoices.id);
    });
  });
}

describe("a memory that quotes a secret", () => {
  const token = `ghp_${"a1B2".repeat(9)}`;
  const own = "held-by-the-environment";
  const open = () =>
    createMemory(
      loadMemoryConfig({ env: { MERGEWRIGHT_HOME: join(folder, "home"), QDRANT_API_KEY: own }, cwd: folder }),
    );

  it("is kept without it, whichever its kind and the way it came in", async () => {
    const memory = open();
    const quoting = `Use ${token} or ${own} there.`;
    const told = { cause: quoting, files: [`config/${token}`], change: quoting, evidence: quoting, reason: quoting };
    const course: Memory = {
      kind: "workflow",
      id: "workflow-run-1",
      at: invoices.at,
      issue: 1,
      title: quoting,
      category: null,
      outcome: "merged",
      roles: [],
      turns: 1,
      costUsd: 1,
      minutes: 1,
      rounds: 1,
    };
    const memories: Memory[] = [resolution(1, quoting, quoting, told), course, { ...lesson, text: quoting }];
    const said = memory.experience.taught({ text: quoting, by: "mara", issue: null, at: invoices.at });
    const lines = [...memories, { ...said, id: "taught-1", text: quoting }].map((each) =>
      JSON.stringify({ repository: acme.repository, ...each }),
    );
    await memory.experience.store(acme, [said], signal);
    await importLines(memory.experience, readLines(lines.join("\n")), signal);
    const kept = JSON.stringify(await memory.experience.list(acme, {}, signal));
    await memory.close();
    for (const secret of [token, own]) expect(kept).not.toContain(secret);
    expect(kept.match(/Use \[redacted: github-token\] or \[redacted: known-secret\] there\./g)).toHaveLength(10);
  });

  it("is gone as soon as it is made a memory, and the same words are the same memory, whoever cleaned them", async () => {
    const memory = open();
    const said = (text: string): Memory => memory.experience.taught({ text, by: "mara", issue: null, at: invoices.at });
    const made = said(`Use ${token} or ${own} there.`);
    expect(made).toMatchObject({ text: "Use [redacted: github-token] or [redacted: known-secret] there." });
    expect(said("Use [redacted: github-token] or [redacted: known-secret] there.")).toEqual(made);
    // A cut through the middle of a secret would leave a half that nobody knows again.
    const cut = said(`${"a".repeat(3_990)} ${own}`);
    expect(JSON.stringify(cut)).not.toContain(own.slice(0, 6));
    await memory.close();
  });

  it("and was written by an older build, or another program, is never shown or exported", async () => {
    const store = openEmbeddedStore(join(folder, "older.db"));
    opened.push(store);
    const experience = createExperience({ store, embedder: null, secrets: [own] });
    await experience.store(acme, [lesson], signal);
    const leaking = { ...lesson, id: "lesson-older", text: `Use ${token} or ${own} there.` };
    const group = {
      name: "learnt:lesson-older",
      tag: "older",
      points: [{ payload: { memory: leaking, model: null }, vectors: {} }],
    };
    await store.write({ ...acme, repository: `${acme.repository}#experience` }, { put: [group], remove: [] }, signal);
    const [line] = (await exportLines(experience, acme, signal)).filter((each) => each.includes("lesson-older"));
    expect(line).toContain("Use [redacted: github-token] or [redacted: known-secret] there.");
    const [found] = await experience.search(acme, "use there", { limit: 1, signal });
    expect(JSON.stringify([found, line])).not.toContain(token);
  });

  it("still fits its schema where what stands in place of a secret is longer", async () => {
    const memory = open();
    await memory.experience.store(acme, [{ ...lesson, text: `${"a".repeat(976)} ${own}` }], signal);
    const [line] = await exportLines(memory.experience, acme, signal);
    await memory.close();
    expect(() => readLines(line!)).not.toThrow();
  });
});

describe("a memory that the store does not show after it was written", () => {
  it("is an error, and not a loss that nobody sees", async () => {
    const store = openEmbeddedStore(join(folder, "forgetful.db"));
    opened.push(store);
    const forgetful: PointStore = { ...store, write: () => Promise.resolve() };
    const experience = createExperience({ store: forgetful, embedder: null });
    await expect(experience.store(acme, [login], signal)).rejects.toThrow(ServiceUnavailable);
  });
});

describe("the score of likeness", () => {
  it("stretches the raw cosine so that a good match among issues is .7", () => {
    expect(calibrated(0)).toBe(0);
    expect(calibrated(0.3)).toBeCloseTo(0.7, 2);
    expect(calibrated(1)).toBeGreaterThan(0.98);
  });

  it("is the same on both stores, whatever other repositories hold", async () => {
    const scores: number[][] = [];
    for (const open of Object.values(stores)) {
      const store = open();
      opened.push(store);
      const experience = createExperience({ store, embedder: null });
      const scope = scopeOfRepository("same/everywhere");
      await experience.store(scope, [invoices, login, ...others], signal);
      const found = await experience.search(scope, "login crashes without password", { limit: 9, signal });
      scores.push(found.map(({ score }) => score));
    }
    expect(scores[0]).toEqual(scores[1]);
    expect(scores[0]![0]).toBeGreaterThan(0.7);
  });

  it("counts a rare word that two texts share for more than one that all have", () => {
    const texts = ["the shop crashes on checkout", "the shop crashes on login", "the shop crashes on logout"].map(
      wordsIn,
    );
    const corpus = corpusOf(texts);
    const query = wordsIn("shop checkout");
    const [first, second] = texts.map((words) => cosine(query, words, corpus));
    expect(first!).toBeGreaterThan(second! * 2);
  });
});

describe("an embedding model beside the words", () => {
  /** Each word is a direction, and some mean the same; all texts share a direction, as with real models. */
  const meanings = new Map<string, string>();
  const seen: string[] = [];
  const embedder: Embedder = {
    model: "played",
    embed: (texts) => {
      seen.push(...texts);
      return Promise.resolve(texts.map(vectorOf));
    },
  };
  function vectorOf(text: string): Float32Array {
    const vector = new Float32Array(256);
    vector[0] = 3;
    for (const [word] of text.toLowerCase().matchAll(/[a-z]{4,}/g)) {
      const meant = meanings.get(word) ?? word;
      let hash = 7;
      for (const letter of meant) hash = (hash * 31 + letter.charCodeAt(0)) % 255;
      vector[1 + hash]! += 1;
    }
    return vector;
  }

  it("finds the same trouble in other words, on the scale on which an unrelated text is near nothing", async () => {
    for (const [word, meant] of [
      ["bill", "invoice"],
      ["rebate", "discount"],
      ["sum", "total"],
      ["incorrect", "wrong"],
      ["reduction", "discount"],
    ] as const)
      meanings.set(word, meant);
    const store = openEmbeddedStore(join(folder, "dense.db"));
    opened.push(store);
    const text = "incorrect bill with rebate: reduction applied, incorrect bill";
    const unrelated = "Portuguese translation missing from manual";
    const plain = createExperience({ store, embedder: null });
    const dense = createExperience({ store, embedder });
    await dense.store(acme, [invoices, login, ...others], signal);
    const scoreOf = async (experience: Experience, query: string): Promise<number> =>
      (await experience.search(acme, query, { limit: 1, signal })).find(({ memory }) => memory.issue === 1)?.score ?? 0;
    expect(await scoreOf(dense, text)).toBeGreaterThan((await scoreOf(plain, text)) + 0.1);
    expect(await dense.search(acme, unrelated, { limit: 5, threshold: 0.7, signal })).toEqual([]);
  });

  it("is shown pairs of known likeness once, and its idea of near is brought to the common scale", async () => {
    const asked = seen.filter((text) => text.startsWith("The app crashes")).length;
    const scale = await denseScale(embedder, signal);
    await denseScale(embedder, signal);
    expect(seen.filter((text) => text.startsWith("The app crashes"))).toHaveLength(asked);
    expect(scale(0)).toBe(0);
    expect(scale(1)).toBeGreaterThan(0.9);
  });

  it("leaves the words alone when it cannot tell texts apart", async () => {
    const dull: Embedder = { model: "dull", embed: (texts) => Promise.resolve(texts.map(() => Float32Array.of(1, 0))) };
    expect((await denseScale(dull, signal))(1)).toBe(0);
  });
});

describe("lines that are no memories", () => {
  it("are all named, and nothing is read", () => {
    const good = JSON.stringify({ repository: "acme/shop", ...login });
    const text = [good, "{oops", "{}", JSON.stringify({ repository: "acme/shop", kind: "lesson" })].join("\n");
    expect(() => readLines(text)).toThrow(/Line 2 is not JSON.*\nLine 3 has no "repository".*\nLine 4 is no memory/);
    expect(readLines(`${good}\n\n`)).toEqual([{ scope: acme, memory: login }]);
    expect(readLines(`\ufeff${good}\r\n`)).toEqual([{ scope: acme, memory: login }]);
  });
});
