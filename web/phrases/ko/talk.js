/** What people say to each other, and whom one does not want to hear. */
import { nim } from "./words.js";

export const talk = {
  open: () => "빠른 인사",
  quick: {
    hello: () => "안녕하세요!",
    luck: () => "행운을 빌어요!",
    hand: () => "나이스 핸드!",
    played: () => "잘 치셨어요!",
    thanks: () => "고마워요!",
    moment: () => "잠시만요",
  },
  emote: {
    clap: () => "박수",
    laugh: () => "웃음",
    wow: () => "놀람",
    cry: () => "눈물",
    cool: () => "선글라스",
    sorry: () => "두 손 모으기",
  },
  about: (name) => `${nim(name)} 정보`,
  mute: () => "이 사람의 채팅 숨기기",
  report: () => "신고…",
};
