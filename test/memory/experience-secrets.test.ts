import { describe, expect, it } from "vitest";
import { loadMemoryConfig } from "../../config/memory.ts";
import type { Memory } from "../../domain/memory.ts";
import { createExperience } from "../../memory/experience/experience.ts";
import { exportLines, importLines, readLines } from "../../memory/experience/lines.ts";
import { createMemory } from "../../workers/memory.ts";
import { acme, experienceStores, invoices, lesson, resolution, signal } from "./experience-support.ts";

const stores = experienceStores();

describe("a memory that quotes a secret", () => {
  const token = `ghp_${"a1B2".repeat(9)}`;
  const own = "held-by-the-environment";
  const open = () =>
    createMemory(
      loadMemoryConfig({ env: { MERGEWRIGHT_HOME: stores.path("home"), QDRANT_API_KEY: own }, cwd: stores.path("") }),
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
    const store = stores.named("older.db");
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
