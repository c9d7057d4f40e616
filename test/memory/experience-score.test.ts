import { describe, expect, it } from "vitest";
import { scopeOfRepository } from "../../domain/memory.ts";
import type { Experience } from "../../domain/memory-ports.ts";
import type { Embedder } from "../../memory/dense/embedder.ts";
import { denseScale } from "../../memory/experience/dense-scale.ts";
import { createExperience } from "../../memory/experience/experience.ts";
import { calibrated, corpusOf, cosine, wordsIn } from "../../memory/experience/similarity.ts";
import { acme, experienceStores, invoices, login, others, signal } from "./experience-support.ts";

const stores = experienceStores();

describe("the score of likeness", () => {
  it("stretches the raw cosine so that a good match among issues is .7", () => {
    expect(calibrated(0)).toBe(0);
    expect(calibrated(0.3)).toBeCloseTo(0.7, 2);
    expect(calibrated(1)).toBeGreaterThan(0.98);
  });

  it("is the same on both stores, whatever other repositories hold", async () => {
    const scores: number[][] = [];
    for (const open of Object.values(stores.open)) {
      const store = open();
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
    const store = stores.named("dense.db");
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
