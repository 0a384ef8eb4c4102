/** What a player can set about the seat, and keys. */
import { eun } from "./particles.js";

export const seat = {
  keys: {
    open: () => "단축키",
    title: () => "테이블 단축키",
    how: () => "바꿀 키를 선택하세요.",
    press: () => "키를 누르세요",
    change: (what, key) => `${what}: ${key}. 바꾸기`,
    taken: (key, what) => `${eun(key)} 이미 쓰는 키입니다: ${what}.`,
    reserved: (key) => `${eun(key)} 쓸 수 없는 키입니다.`,
    usual: () => "기본 키로",
    done: () => "완료",
  },
  command: {
    fold: () => "폴드(콜할 금액이 있을 때)",
    call: () => "체크 또는 콜",
    raise: () => "금액 입력",
    more: () => "빅 블라인드만큼 올리기",
    less: () => "빅 블라인드만큼 내리기",
    amount1: () => "첫째 금액",
    amount2: () => "둘째 금액",
    amount3: () => "셋째 금액",
    amount4: () => "넷째 금액",
    confirm: () => "그 금액으로 벳 또는 레이즈",
    away: () => "금액 입력 끝내기",
    help: () => "이 목록",
  },
};
