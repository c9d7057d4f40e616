import { describe, expect, it } from "vitest";
import { closeOpenCalls, composeMessages, openCalls, type Segment, toolResult } from "../../agents/conversation.ts";
import { composeRequest } from "../../agents/request.ts";
import { countBreakpoints } from "../../activities/adapters/anthropic/breakpoints.ts";
import { settings } from "../model/support.ts";

const text = (role: Segment["role"], words: string): Segment => ({ role, content: [{ type: "text", text: words }] });
const call = (...ids: string[]): Segment => ({
  role: "assistant",
  content: ids.map((id) => ({ type: "tool_use", id, name: "bash", input: { command: "ls" } })),
});
const result = (...ids: string[]): Segment => ({ role: "user", content: ids.map((id) => toolResult(id, "ok", false)) });

/** Message and block of every breakpoint. */
function marks(segments: Segment[]): string[] {
  return composeMessages(segments).flatMap((message, index) =>
    typeof message.content === "string"
      ? []
      : message.content.flatMap((block, place) =>
          "cache_control" in block && block.cache_control ? [`${index}.${place}`] : [],
        ),
  );
}

describe("breakpoints", () => {
  it.each([
    ["only the opening", [text("user", "a")], ["0.0"]],
    ["one turn", [text("user", "a"), call("1"), result("1")], ["0.0", "2.0"]],
    ["two turns", [text("user", "a"), call("1"), result("1"), call("2", "3"), result("2", "3")], ["0.0", "2.0", "4.1"]],
    [
      "three turns",
      [text("user", "a"), call("1"), result("1"), call("2"), result("2"), call("3"), result("3")],
      ["0.0", "4.0", "6.0"],
    ],
    ["a follow-up after results", [text("user", "a"), call("1"), result("1"), text("user", "b")], ["0.0", "2.1"]],
  ])("%s", (_, segments, expected) => expect(marks(segments)).toEqual(expected));

  it("are four in a long conversation, with the one of the system prompt", () => {
    const segments = [
      text("user", "a"),
      ...Array.from({ length: 50 }, (_, index) => [call(`${index}`), result(`${index}`)]).flat(),
    ];
    expect(countBreakpoints(composeRequest("coder", "m", settings, segments))).toBe(4);
  });

  it("mark copies: the stored segments stay as they are", () => {
    const segments = [text("user", "a"), call("1"), result("1")];
    const before = JSON.stringify(segments);
    composeMessages(segments);
    expect(JSON.stringify(segments)).toBe(before);
  });
});

describe("messages", () => {
  it("share all blocks but the marked ones, so that a long conversation costs nothing", () => {
    const segments = [
      text("user", "a"),
      ...Array.from({ length: 300 }, (_, index) => [call(`${index}`), result(`${index}`)]).flat(),
    ];
    const messages = composeMessages(segments);
    const copied = messages.filter((message, index) => message.content !== segments[index]?.content).length;
    expect(copied).toBe(3);
  });

  it("hold no empty text, which Claude sends and refuses", () => {
    expect(
      composeMessages([
        text("user", "a"),
        { role: "assistant", content: [{ type: "text", text: "" }, ...call("1").content] },
        result("1"),
      ])[1]?.content,
    ).toHaveLength(1);
    expect(
      composeMessages([text("user", "a"), { role: "assistant", content: [] }, text("user", "b")])[1]?.content,
    ).toEqual([{ type: "text", text: "(no answer)" }]);
    expect(composeMessages([text("user", "a"), text("assistant", " \n"), text("user", "b")])[1]?.content).toEqual([
      { type: "text", text: "(no answer)" },
    ]);
  });

  it("end with the user, also after a pause", () => {
    expect(composeMessages([text("user", "a"), text("assistant", "b")]).at(-1)).toMatchObject({
      role: "user",
      content: [{ text: "Go on." }],
    });
  });

  it("join neighbours of one role, results first", () => {
    const messages = composeMessages([
      text("user", "a"),
      call("1"),
      result("1"),
      text("user", "# Brief: revise (review)"),
    ]);
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
    expect((messages[2]!.content as { type: string }[]).map((block) => block.type)).toEqual(["tool_result", "text"]);
  });
});

describe("calls without results", () => {
  it("are found", () => {
    expect(openCalls([text("user", "a"), call("1", "2"), result("1")]).map((open) => open.id)).toEqual(["2"]);
    expect(openCalls([text("user", "a"), call("1"), result("1")])).toEqual([]);
    expect(openCalls([text("user", "a")])).toEqual([]);
    expect(openCalls([])).toEqual([]);
  });

  it("are closed as unknown, and only they", () => {
    const segments = [text("user", "a"), call("1", "2"), result("1")];
    const closing = closeOpenCalls(segments);
    expect(closing?.content).toEqual([
      {
        type: "tool_result",
        tool_use_id: "2",
        content: expect.stringContaining("outcome unknown") as string,
        is_error: true,
      },
    ]);
    expect(closeOpenCalls([...segments, closing!])).toBeNull();
  });
});
