import { beforeAll, describe, expect, it } from "vitest";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { scopeOfRepository } from "../../domain/memory.ts";
import type { Experience } from "../../domain/memory-ports.ts";
import { createExperience } from "../../memory/experience/experience.ts";
import { exportLines, importLines, readLines } from "../../memory/experience/lines.ts";
import type { PointStore } from "../../memory/store/store.ts";
import { acme, experienceStores, invoices, lesson, login, others, signal } from "./experience-support.ts";

const stores = experienceStores();

for (const [name, open] of Object.entries(stores.open)) {
  describe(`experience in ${name}`, () => {
    let experience: Experience;
    let store: PointStore;
    beforeAll(async () => {
      store = open();
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

describe("a memory that the store does not show after it was written", () => {
  it("is an error, and not a loss that nobody sees", async () => {
    const store = stores.named("forgetful.db");
    const forgetful: PointStore = { ...store, write: () => Promise.resolve() };
    const experience = createExperience({ store: forgetful, embedder: null });
    await expect(experience.store(acme, [login], signal)).rejects.toThrow(ServiceUnavailable);
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
