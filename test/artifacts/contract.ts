/** What every artifact store keeps to. */
import { describe, expect, it } from "vitest";
import { RequestRefused } from "../../domain/errors.ts";
import { runPrefix, turnKey } from "../../domain/ids.ts";
import type { Artifacts } from "../../domain/ports.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** @param make a store without content. */
export function artifactsContract(name: string, make: () => Promise<Artifacts>): void {
  describe(`${name} keeps artifacts`, () => {
    it("gives back what was put, byte for byte", async () => {
      const store = await make();
      const content = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
      await store.put("runs/a/1.bin", content);
      const back = await store.get("runs/a/1.bin");
      expect(back).toBeInstanceOf(Uint8Array);
      expect(Buffer.from(back!).equals(Buffer.from(content))).toBe(true);
    });

    it("has null for a key that was never put, also where it is the folder of another", async () => {
      const store = await make();
      await store.put("runs/a/b", bytes("x"));
      expect(await store.get("runs/none")).toBeNull();
      expect(await store.get("runs/a")).toBeNull();
      expect(await store.get("runs/a/b/c")).toBeNull();
    });

    it("keeps an empty artifact apart from none", async () => {
      const store = await make();
      await store.put("empty", new Uint8Array());
      expect(await store.get("empty")).toEqual(new Uint8Array());
    });

    it("takes the same key again, and the last content counts", async () => {
      const store = await make();
      await store.put("k", bytes("one"));
      await store.put("k", bytes("one"));
      await store.put("k", bytes("two"));
      expect(await store.get("k")).toEqual(bytes("two"));
    });

    it("keeps the first of those that write only where nothing is, and tells the others so", async () => {
      const store = await make();
      expect(await store.putIfAbsent("runs/a/1", bytes("first"))).toBe(true);
      expect(await store.putIfAbsent("runs/a/1", bytes("late"))).toBe(false);
      expect(await store.get("runs/a/1")).toEqual(bytes("first"));
      await store.put("runs/a/2", new Uint8Array());
      expect(await store.putIfAbsent("runs/a/2", bytes("late"))).toBe(false);
      expect(await store.get("runs/a/2")).toEqual(new Uint8Array());
      await store.remove("runs/a");
      expect(await store.putIfAbsent("runs/a/1", bytes("again"))).toBe(true);
      expect(await store.get("runs/a/1")).toEqual(bytes("again"));
    });

    it("lets exactly one win of many that write at once only where nothing is, and its content stays", async () => {
      const store = await make();
      const contents = ["a", "b", "c", "d", "e", "f"].map((letter) => bytes(letter.repeat(50_000)));
      const won = await Promise.all(contents.map((content) => store.putIfAbsent("runs/race", content)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.get("runs/race")).toEqual(contents[won.indexOf(true)]);
    });

    it("shows a reader one whole content, however many write at once", async () => {
      const store = await make();
      const contents = ["a", "b", "c", "d"].map((letter) => bytes(letter.repeat(200_000)));
      await store.put("k", contents[0]!);
      const seen: (Uint8Array | null)[] = [];
      await Promise.all([
        ...contents.map((content) => store.put("k", content)),
        ...Array.from({ length: 20 }, async () => void seen.push(await store.get("k"))),
      ]);
      for (const content of seen) expect(new Set(content).size).toBe(1);
      for (const content of seen) expect(content!.length).toBe(200_000);
    });

    it("does not change what it holds when the caller's bytes change later", async () => {
      const store = await make();
      const content = bytes("before");
      await store.put("k", content);
      content.fill(0);
      expect(await store.get("k")).toEqual(bytes("before"));
    });

    it("takes the keys that runs make", async () => {
      const store = await make();
      for (const key of [
        `${runPrefix("Ab3-x_9")}/issue.json`,
        turnKey("r1", "coder-2", 17, { reply: "f".repeat(64) }),
        "a@b=c+d,e!f~g",
        "a%2Fb/%2D",
      ]) {
        await store.put(key, bytes(key));
        expect(await store.get(key)).toEqual(bytes(key));
      }
    });

    it("lists what stands under a folder, with its time, and its folders by name", async () => {
      const store = await make();
      const before = Date.now() - 2_000;
      for (const key of ["runs/a/1", "runs/a/deep/er/2", "runs/ab/3", "runs/b", "other/runs/a/4"])
        await store.put(key, bytes(key));
      const listed = await all(store.list("runs/a"));
      expect(listed.map(({ key }) => key).toSorted()).toEqual(["runs/a/1", "runs/a/deep/er/2"]);
      for (const { changedAt } of listed) expect(changedAt.getTime()).toBeGreaterThan(before);
      expect((await all(store.folders("runs"))).toSorted()).toEqual(["a", "ab"]);
      expect(await all(store.folders("runs/a"))).toEqual(["deep"]);
      expect(await all(store.list("runs/none"))).toEqual([]);
      expect(await all(store.folders("runs/none"))).toEqual([]);
    });

    it("removes a folder with everything in it, and nothing whose name only begins like it", async () => {
      const store = await make();
      for (const key of ["runs/a/1", "runs/a/deep/2", "runs/ab/3", "runs/b/4"]) await store.put(key, bytes(key));
      await store.remove("runs/a");
      await store.remove("runs/a");
      await store.remove("runs/none");
      expect(await store.get("runs/a/1")).toBeNull();
      expect((await all(store.list("runs"))).map(({ key }) => key).toSorted()).toEqual(["runs/ab/3", "runs/b/4"]);
      await store.put("runs/a/1", bytes("again"));
      expect(await store.get("runs/a/1")).toEqual(bytes("again"));
    });

    it("removes what was written before a time, and leaves what came later, also while it is written", async () => {
      const store = await make();
      for (const key of ["runs/a/1", "runs/a/deep/2", "runs/ab/3"]) await store.put(key, bytes(key));
      // S3 tells times in seconds.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const between = new Date(Math.floor(Date.now() / 1000) * 1000);
      await store.put("runs/a/deep/4", bytes("new"));
      await store.remove("runs/a", between);
      expect((await all(store.list("runs"))).map(({ key }) => key).toSorted()).toEqual(["runs/a/deep/4", "runs/ab/3"]);
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          await store.put(`runs/b/${index % 4}/${index}`, bytes("new"));
          await store.remove("runs/b", between);
        }),
      );
      expect(await all(store.list("runs/b"))).toHaveLength(40);
      await store.remove("runs", new Date(Date.now() + 60_000));
      expect(await all(store.folders("runs"))).toEqual([]);
    });

    it("removes no artifact where a folder is named", async () => {
      const store = await make();
      await store.put("runs/a", bytes("x"));
      await store.remove("runs/a");
      expect(await store.get("runs/a")).toEqual(bytes("x"));
    });

    it("lists and removes more than one request carries", async () => {
      const store = await make();
      const keys = Array.from({ length: 1_203 }, (_, index) => `runs/many/${index}`);
      for (let begin = 0; begin < keys.length; begin += 50)
        await Promise.all(keys.slice(begin, begin + 50).map((key) => store.put(key, bytes("x"))));
      expect(new Set((await all(store.list("runs/many"))).map(({ key }) => key))).toEqual(new Set(keys));
      await store.remove("runs/many");
      expect(await all(store.list("runs/many"))).toEqual([]);
    }, 60_000);

    it.each([
      "",
      "/",
      "/etc/passwd",
      "..",
      "a/../b",
      "a/./b",
      "a//b",
      "a/",
      ".hidden",
      "a\\b",
      "a\0b",
      "a\nb",
      "ä",
      "a:b",
      "C:/x",
      "-rf",
      "a.",
      "x".repeat(201),
      "x/".repeat(500) + "x",
    ])("refuses the key %j, for reading, writing, listing and removing", async (key) => {
      const store = await make();
      await expect(store.remove(key)).rejects.toThrow(RequestRefused);
      await expect(all(store.list(key))).rejects.toThrow(RequestRefused);
      await expect(all(store.folders(key))).rejects.toThrow(RequestRefused);
      await expect(store.put(key, bytes("x"))).rejects.toThrow(RequestRefused);
      await expect(store.putIfAbsent(key, bytes("x"))).rejects.toThrow(RequestRefused);
      await expect(store.get(key)).rejects.toThrow(RequestRefused);
    });
  });
}
