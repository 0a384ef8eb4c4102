/** Why a command to a table was refused, by the protocol's codes. */
import { chips, moment } from "../../format.js";
import { eul } from "./particles.js";

const seconds = (ms) => chips(Math.max(1, Math.ceil((ms ?? 0) / 1000)));
const strangers = () => "페이지와 서버가 서로 맞지 않습니다. 페이지를 새로고침해 주세요.";
const again = () => "처리되었는지 알 수 없습니다. 테이블을 확인한 뒤 다시 시도해 주세요.";

export const refusals = {
  refused: {
    bad_command: strangers,
    bad_question: strangers,
    no_such_room: () => "그런 테이블은 없습니다.",
    stale_n: again,
    forgotten: again,
    too_fast: ({ retry_after_ms }) => `너무 빠릅니다. ${seconds(retry_after_ms)}초 뒤에 다시 시도해 주세요.`,
    busy: ({ retry_after_ms }) => `서버가 붐빕니다. ${seconds(retry_after_ms)}초 뒤에 다시 시도해 주세요.`,
    unavailable: ({ retry_after_ms }) => `테이블이 지금은 저장할 수 없어 처리되지 않았습니다. ${seconds(retry_after_ms)}초 뒤에 다시 시도해 주세요.`,
    late: () => "그 차례는 이미 지났습니다.",
    not_your_turn: () => "내 차례가 아닙니다.",
    illegal: () => "지금은 할 수 없는 행동입니다.",
    not_seated: () => "이 테이블에 자리가 없습니다.",
    already_seated: () => "이미 이 테이블에 앉아 있습니다.",
    seat_taken: () => "다른 사람이 앉은 자리입니다.",
    no_seat: () => "빈자리가 없습니다.",
    bad_amount: ({ min, max }) => `이 테이블의 한도를 벗어난 금액입니다. 한도는 ${chips(min)}~${chips(max)}입니다.`,
    left_with_more: ({ min, minutes }) => `최근 ${chips(minutes)}분 안에 칩 ${eul(chips(min))} 가지고 나갔습니다. 그만큼은 가져와야 합니다.`,
    in_hand: () => "핸드 도중에는 할 수 없습니다.",
    unchanged: () => "이미 그런 상태입니다.",
    bad_text: () => "보낼 수 없는 메시지입니다. 비어 있거나 너무 길거나 보이지 않는 문자가 있습니다.",
    not_allowed: () => "지금은 이 서버에서 할 수 없습니다.",
    play_time_used: ({ play_from_ms }) => `게임 시간을 다 썼습니다. ${moment(play_from_ms)}부터 다시 할 수 있습니다.`,
    not_let_in: () => "방장이 아직 입장을 허락하지 않았습니다. 먼저 입장을 요청하세요.",
    wrong_code: () => "이 테이블의 코드가 아닙니다.",
    bad_settings: () => "이 서버에서는 그런 테이블을 열 수 없습니다.",
    too_many: () => "더 이상 추가할 수 없습니다.",
    call_missed: ({ retry_after_ms }) => `잡아 둔 자리에 앉지 않아 지금은 대기할 수 없습니다. ${chips(Math.max(1, Math.ceil((retry_after_ms ?? 0) / 60_000)))}분 뒤에 다시 대기할 수 있습니다.`,
    no_such_job: () => "그런 작업이 없습니다.",
    lease_lost: () => "그 작업은 더 이상 맡고 있지 않습니다.",
    other_session: () => "이 자리는 다른 창에서 플레이하고 있습니다.",
    /** The page's own: the answer was lost with the connection. */
    unknown: () => "답이 오기 전에 연결이 끊겼습니다. 테이블을 확인한 뒤 다시 시도해 주세요.",
  },
  /** Why chips that were asked for do not come; nothing was taken. */
  declined: {
    insufficient: ({ amount }) => `${chips(amount)}보다 적게 가지고 있습니다. 칩은 빠져나가지 않았습니다.`,
    frozen: () => "계정의 칩이 동결되어 있습니다. 운영자에게 문의해 주세요.",
    not_allowed: () => "지금은 이 칩으로 플레이할 수 없습니다.",
    cage_away: () => "칩이 제때 도착하지 않았습니다. 칩은 빠져나가지 않았습니다. 잠시 뒤 다시 시도해 주세요.",
    other: () => "칩이 도착하지 않았습니다. 칩은 빠져나가지 않았습니다.",
  },
};
