/** Reporting a player to the staff of the house. */
import { chips } from "../../format.js";
import { nim } from "./words.js";

export const report = {
  title: (name) => `${nim(name)} 신고`,
  whoSees: (name) => `이 서버의 운영자가 확인합니다. 누가 신고했는지는 ${nim(name)}에게 알리지 않습니다.`,
  what: () => "무엇을 신고하나요?",
  kind: {
    chat_abuse: () => "채팅에서 욕설이나 협박",
    name: () => "불쾌한 이름",
    collusion: () => "다른 사람과 짜고 치기",
    slow_play: () => "일부러 시간 끌기",
    other: () => "그 밖의 일",
  },
  words: () => "무슨 일이 있었는지 간단히",
  report: () => "신고하기",
  received: () => "신고를 접수했습니다. 운영자가 확인하며, 더 하실 일은 없습니다.",
  known: (name) => `이 테이블에서 ${nim(name)}을 이미 신고하셨고, 접수되어 있습니다. 운영자가 아직 확인하고 있습니다.`,
  refused: {
    bad_report: () => "서버가 받을 수 없는 글입니다. 다르게 적어 주세요.",
    many_reports: ({ retry_after_ms }) => `하루에 할 수 있는 신고를 모두 했습니다. ${chips(Math.ceil((retry_after_ms ?? 0) / 3_600_000))}시간 뒤에 다시 시도해 주세요.`,
    not_found: () => "서버가 더 이상 알지 못하는 플레이어입니다.",
    no_accounts: () => "이 서버는 신고를 받지 않습니다.",
    busy: () => "지금은 처리할 일이 너무 많습니다. 다시 시도해 주세요.",
    away: () => "지금은 기록할 수 없습니다. 다시 시도해 주세요.",
  },
};
