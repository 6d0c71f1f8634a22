"""Why a draft was not decided, and how the office reads it."""

from __future__ import annotations


class NotDecided(Exception):
    """`code`:

    * `no_draft`: there is no draft `draft`.
    * `no_office`, `no_letter`: its office or its letter `found` is not set up any more.
    * `not_draft`: it is in the state `found`; by `choices[0]` on the day `choices[1]`.
    * `superseded`: draft `found` took its place.
    * `stale`: what it says is not so any more; `choices` say what changed, `found` is the number of
      the draft that took its place.
    * `not_approved`: it is to be sent but is in the state `found`.
    * `sent`: it was sent already.
    * `same`: draft `found` of the letter and period says the same.
    * `nothing`: nothing is to be told of the period (`skip_empty`).
    * `no_reason`, `no_name`: it must be said why, or who decides.
    * `number`, `number_used`: `found` is no 发文字号, or draft `choices[0]` has it.
    * `number_year`: the year in `found` is not `choices[0]`, that of its date.
    * `date`: it cannot be dated `found`; `choices[0]` is the earliest day.
    * `unfilled`: names have to be filled into its document by hand.
    * `document_large` (`found` in MB), `document_kind`, `document_marked`: the office's own document
      cannot be sent.
    * `document_broken`: it cannot be read; `found` says why. `document_other`: it was made from
      draft `found`. `document_draft`: `found` is what a draft has and a document must not.
    * `no_sms`: its letter, named `found`, comes with no text messages.
    * `not_sent`: a letter is to be sent again of one in the state `found`. `nobody`: `found` is none
      of its recipients, who are `choices`. `which`: `found` may be each of `choices`. `no_again`:
      the letter to `choices[0]` was not lost (`found` says what became of it). `no_address`:
      `found` has none. `address`: `found` is none. `address_of`: `found` is `choices[0]`'s.
      `again_failed`: the letter to `choices[0]` cannot be written; `found` says why.
    * `letter_failed`: the letters to `choices` cannot be written; `found` says why. Nothing was
      queued.
    * `too_much`: all letters together would be `found` MB."""

    def __init__(
        self, code: str, draft: int = 0, found: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(code, draft, found, choices)
        self.code, self.draft, self.found, self.choices = code, draft, found, choices

    def __str__(self) -> str:
        return "，".join(part.rstrip("。") for part in told(self) if part) + "。"


STATES = {
    "draft": "等待批准",
    "approved": "已批准、未发送",
    "sent": "已发送",
    "rejected": "已退回",
    "superseded": "已由新稿代替",
}
"""By `DraftState` value."""


def told(refusal: NotDecided) -> tuple[str, str]:
    """What was found, and what to do."""
    found, choices, number = refusal.found, refusal.choices, refusal.draft
    match refusal.code:
        case "no_draft":
            return "没有这个编号的草稿", "编号见 mailbot notices list"
        case "no_office":
            return f"没有设置“{found}”这个办公室", "核对设置里的 offices"
        case "no_letter":
            return f"不能确定“{found}”指哪一种通报", (
                f"用 --letter 指明其中一种：{'、'.join(choices)}"
                if choices
                else "核对 letters.toml"
            )
        case "not_draft":
            by = f"（{'，'.join(c for c in choices if c)}）" if any(choices) else ""
            return (
                f"它的状态是：{STATES.get(found, found)}{by}",
                f"详情见 mailbot notices show {number}",
            )
        case "superseded":
            return f"它已由第 {found} 号草稿代替", f"请看新稿：mailbot notices show {found}"
        case "stale":
            return (
                f"起草以后情况有变化，没有批准：{''.join(choices)}",
                f"已重新起草为第 {found} 号，请看过后批准：mailbot notices show {found}",
            )
        case "not_approved":
            return f"它的状态是：{STATES.get(found, found)}，不能发送", (
                f"先批准：mailbot notices approve {number}"
                if found == "draft"
                else f"详情见 mailbot notices show {number}"
            )
        case "sent":
            return "它已经发送过，没有再发", f"送达情况见 mailbot notices show {number}"
        case "same":
            return f"第 {found} 号草稿说的是同样的内容", f"请处理它：mailbot notices show {found}"
        case "nothing":
            return "名单里没有单位，按设置不起草（skip_empty）", "需要起草时改 letters.toml"
        case "no_reason":
            return "没有写原因", "写明退回的原因（--why）"
        case "no_name":
            return "没有写明由谁决定", "写明姓名（--who）"
        case "number":
            return f"“{found}”不是发文字号", "写成：某政办通〔2026〕12号"
        case "number_used":
            return (
                f"发文字号“{found}”已用于第 {choices[0]} 号草稿",
                "核对字号，每份文件用自己的字号",
            )
        case "number_year":
            return (
                f"发文字号“{found}”的年份和成文日期的年份（{choices[0]}）不一样",
                "核对字号，或用 --date 写明成文日期",
            )
        case "date":
            return f"成文日期不能写 {found}", (
                f"不早于 {choices[0]}，也不能比今天晚一个月以上；核对 --date"
            )
        case "unfilled":
            return "文稿里有要由人填写的姓名，还空着", (
                f"导出文稿填好（mailbot notices show {number} --files 文件夹），"
                f"再批准：mailbot notices approve {number} --document 文件"
            )
        case "document_large":
            return f"换上的文件有 {found} MB", "压缩其中的图片，或另存为 PDF；不超过 5 MB"
        case "document_kind":
            return (
                "换上的文件既不是 Word 文档（.docx）也不是 PDF",
                "在 Word 或 WPS 中另存为 .docx 或 PDF",
            )
        case "document_marked":
            return f"换上的文件{found}，收件人打不开或不该打开", "去掉后另存再换"
        case "document_broken":
            return f"换上的文件：{found}", "用 Word 或 WPS 打开，另存为 .docx 或 PDF 再换"
        case "document_other":
            return (
                f"换上的文件是从第 {found} 号草稿导出的，不是第 {number} 号，里面可能是旧的数字",
                f"导出第 {number} 号草稿（mailbot notices show {number} --files 文件夹），"
                "在它上面修改后再换；确要用这个文件的，另存为 PDF 再换",
            )
        case "document_draft":
            return (
                f"换上的文件还是草稿：{found}",
                "在 Word 中删去草稿字样（单页、双页的页眉都要删），"
                "填上发文字号和成文日期，保存后再换；不改内容的，不必用 --document，"
                f"直接批准即可：mailbot notices approve {number} --number 文号 --date 日期",
            )
        case "no_sms":
            return (
                f"第 {number} 号草稿（{found}）没有短信，没有写文件",
                "这种信件没有设置短信；需要的，在 letters.toml 里给它写 sms，以后起草的就有",
            )
        case "not_sent":
            return f"它的状态是：{STATES.get(found, found)}，还谈不上重发", (
                f"先发送：mailbot notices send {number}"
                if found == "approved"
                else f"详情见 mailbot notices show {number}"
            )
        case "nobody":
            return f"“{found}”不是第 {number} 号草稿的收件人", (
                f"写收件人的代号或单位，可以重发的有：{'、'.join(choices)}"
                if choices
                else f"没有需要重发的信件，见 mailbot notices show {number}"
            )
        case "which":
            return f"“{found}”有几个可以重发的收件人", f"写明其中一个的代号：{'、'.join(choices)}"
        case "no_again":
            return (
                f"给{choices[0]}的信件没有退回，也没有发送失败（{found}），不重发",
                f"送达情况见 mailbot notices show {number}",
            )
        case "no_address":
            return f"{found}没有邮箱", "用 --address 写明发到哪个邮箱，并请补填名册（units.toml）"
        case "address":
            return f"“{found}”不是可以发信的邮箱地址", "写成：name@example.org"
        case "address_of":
            return (
                f"{found} 是{choices[0]}的邮箱，这封信是给别的单位的",
                "核对地址；确是两个单位共用的，先在名册（units.toml）里给本单位也写上它",
            )
        case "again_failed":
            return (
                f"给{choices[0]}的邮件写不出来：{found.rstrip('。')}。没有发送",
                "排除后再重发",
            )
        case "letter_failed":
            return (
                f"草稿已批准，但给{'、'.join(choices)}的邮件写不出来：{found.rstrip('。')}。"
                "一封也没有发",
                f"排除后再发：mailbot notices send {number}",
            )
        case "too_much":
            return f"草稿已批准，但全部邮件合计 {found} MB，一封也没有发", (
                "文件太大：请维护人员减小附件后再发"
            )
    return refusal.code, ""
