/** Events as sentences. */
import { chips } from "../../format.js";
import { eul, eun, euro, i } from "./particles.js";
import { list, nim } from "./words.js";

const pot = (number) => (number === 0 ? "메인 팟" : `사이드 팟 ${number}`);
/** Who does it. */
const by = (who) => i(nim(who));

export const log = {
  seat: (seat) => `${seat}번 자리`,
  seated: (who, bot, seat, stack) => `${i(`${nim(who)}${bot ? "(봇)" : ""}`)} ${seat}번 자리에 칩 ${euro(chips(stack))} 앉았습니다`,
  left: (who, stack) => `${by(who)} 칩 ${eul(chips(stack))} 가지고 나갔습니다`,
  promised: (who, amount) => `${by(who)} 이번 핸드 뒤에 칩 ${eul(chips(amount))} 추가합니다`,
  added: (who, amount) => `${by(who)} 칩 ${eul(chips(amount))} 추가했습니다`,
  kept: (who, amount) => `${nim(who)}의 칩 ${eun(chips(amount))} 한도를 넘어 추가되지 않았습니다`,
  status: {
    playing: (who) => `${by(who)} 게임에 참여합니다`,
    waiting: (who) => `${by(who)} 빅 블라인드를 기다립니다`,
    sitting_out: (who) => `${by(who)} 자리를 비웠습니다`,
    leaving: (who) => `${by(who)} 이번 핸드 뒤에 나갑니다`,
  },
  away: (who) => `${nim(who)}의 연결이 끊겼습니다`,
  back: (who) => `${by(who)} 돌아왔습니다`,
  hand: (number) => `핸드 ${chips(number)}`,
  blind: {
    ante: () => "앤티",
    small: () => "스몰 블라인드",
    big: () => "빅 블라인드",
    straddle: () => "스트래들",
    live: () => "라이브 블라인드",
    dead: () => "데드 블라인드",
  },
  posted: (who, blind, amount) => `${nim(who)} ${blind} ${chips(amount)}`,
  acted: {
    fold: (who) => `${nim(who)} 폴드`,
    check: (who) => `${nim(who)} 체크`,
    call: (who, amount) => `${nim(who)} 콜 ${chips(amount)}`,
    bet: (who, _, to) => `${nim(who)} 벳 ${chips(to)}`,
    raise: (who, _, to) => `${nim(who)} ${euro(chips(to))} 레이즈`,
  },
  allIn: (did) => `${did}, 올인`,
  outOfTime: (did) => `${did} (시간 초과)`,
  /** What several do one after the other. */
  together: {
    fold: (who) => `${list(who.map(nim))} 폴드`,
    check: (who) => `${list(who.map(nim))} 체크`,
    ante: (who, amount) => `${who.length}명 앤티 ${chips(amount)}씩`,
  },
  returned: (who, amount) => `콜되지 않은 ${i(chips(amount))} ${nim(who)}에게 돌아갔습니다`,
  street: { flop: () => "플랍", turn: () => "턴", river: () => "리버" },
  dealt: (street, cards) => `${street}: ${cards}`,
  dealtRun: (street, run, cards) => `보드 ${run} ${street}: ${cards}`,
  shown: (who, cards) => `${nim(who)} 공개: ${cards}`,
  shownHand: (who, cards, hand) => `${nim(who)} 공개: ${cards}, ${hand}`,
  mucked: (who) => `${nim(who)} 머크`,
  runsVoted: (who, boards) => `${nim(who)} 보드 ${boards}개 희망`,
  runsAgreed: (boards) => `남은 카드를 보드 ${boards}개에 나눠 딜합니다`,
  configured: (game, stakes) => `다음 핸드부터 ${game} ${stakes}`,
  historyLost: (frames) => `테이블 기록 ${chips(frames)}건이 사라졌습니다`,
  has: (who, hand) => `${nim(who)}의 패: ${hand}`,
  hasOn: (who, hand, board) => `보드 ${board}, ${nim(who)}의 패: ${hand}`,

  /** `board` and `pots` (from 0, the main one) are null, and `hand` empty, where they need not be said. */
  won: ({ names, amount, board, pots, hand }) =>
    `${board === null ? "" : `보드 ${board}: `}${i(list(names.map(nim)))} ${pots === null ? "" : `${list(pots.map(pot))}에서 `}` +
    `${hand === "" ? "" : `${euro(hand)} `}${eul(chips(amount))} ${names.length > 1 ? "나눠 가졌습니다" : "땄습니다"}`,
  wonBrief: (name, amount) => `${name} +${chips(amount)}`,
  sum: (amount) => `+${chips(amount)}`,
  sumOf: (winners, amount) => `승자 ${winners}명, ${chips(amount)}`,
};
