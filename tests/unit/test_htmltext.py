"""HTML bodies as readable text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.htmltext import read_html


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("报送人：张三<br>电话：7622029", "报送人：张三\n电话：7622029"),
        ("<p>一</p><p>二</p>", "一\n\n二"),
        ("<div>一</div><div>二</div>", "一\n二"),
        ("<div>一<div>二</div></div>三", "一\n二\n三"),
        ("<table><tr><td>单位</td><td> 农牧局 </td></tr><tr><td>电话</td></tr></table>", "单位\t农牧局\n电话"),
        ("<ul><li>一<li>二</ul>", "一\n二"),
        ("a &amp; b &lt;c&gt; &nbsp;&#20892;&#x7267;", "a & b <c> 农牧"),
        ("<style>p{color:red}</style><script>alert(1)</script><p>正文</p>", "正文"),
        ("<head><title>标题</title></head><body>正文</body>", "正文"),
        ("<!-- <p>不见</p> -->见", "见"),
        ("<!DOCTYPE html><?xml version='1'?><p>正文", "正文"),
        ("鄂托克\n    前旗", "鄂托克前旗"),
        ("hello\n   world", "hello world"),
        ("<pre>一\n  二</pre>", "一\n  二"),
        ("1 < 2 且 3>2", "1 < 2 且 3>2"),
        ('<a href="http://x.cn" title="a>b">链接</a>后', "链接后"),
        ("<b>农</b><i>牧</i><span>局</span>", "农牧局"),
        ("<o:p>&nbsp;</o:p><st1:place>旗</st1:place>", "旗"),
        ("<script>if (a</b) 未完", "if (a"),
        ("<P STYLE='x'>大写</P>", "大写"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_reader_sees(source: str, text: str) -> None:
    assert read_html(source).text == text


def test_links_and_images_stand_beside_the_text() -> None:
    page = read_html(
        "<p>附件</p><a href='https://wx.mail.qq.com/ftn/x?a=1&amp;b=2'>报告.docx</a>"
        "<img src='CID:Logo@1'><table background=cid:bg>"
    )
    assert [(link.href, link.text) for link in page.links] == [
        ("https://wx.mail.qq.com/ftn/x?a=1&b=2", "报告.docx")
    ]
    assert page.images == {"logo@1", "bg"}
    assert page.text[page.links[0].offset :] == "报告.docx"


def test_an_absurd_number_is_no_error() -> None:
    assert read_html("&#" + "9" * 5_000 + ";完").text == "\ufffd完"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "</", "<!--", "-->", "<p", "<br>", "<pre>", "</pre>", "<td>", "<a href=", "'",
             '"', "=", "&", "&#", "<script>", "</script", "<![CDATA[", "<?", " ", "\n", "农", "x"]
        ),
        max_size=40,
    ).map("".join)
)  # fmt: skip
def test_total_on_broken_markup(source: str) -> None:
    text = read_html(source).text
    assert "\n\n\n" not in text or "<pre>" in source
    assert source.count("农") >= text.count("农")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="农牧局报送abc 123，。：", max_size=50))
def test_plain_text_comes_through(text: str) -> None:
    assert read_html(text).text.split() == text.split()
