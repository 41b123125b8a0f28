"""People's names in many scripts, each with the ASCII spelling its owner would use in an e-mail address."""

from __future__ import annotations

from typing import NamedTuple


class Script(NamedTuple):
    """Given names and surnames of one script, each with its ASCII spelling; `surname_first` is the order of display."""

    given: tuple[tuple[str, str], ...]
    surnames: tuple[tuple[str, str], ...]
    surname_first: bool = False
    joiner: str = " "


def _name_pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, ascii_ or name) for name, _, ascii_ in (word.partition("|") for word in text.split()))


LATIN = Script(
    _name_pairs(
        "Anna Jürgen|juergen Søren|soren Zoë|zoe Łukasz|lukasz François|francois Íñigo|inigo Björk|bjork Maeve Noah"
    ),
    _name_pairs(
        "Müller|mueller Østergård|ostergard O’Neill|oneill D'Angelo|dangelo Peña|pena Þórsson|thorsson Weiß|weiss"
    ),
)
SLAVIC = Script(
    _name_pairs(
        "Željko|zeljko Šárka|sarka Ondřej|ondrej Katarína|katarina Čedomir|cedomir Živa|ziva Jiří|jiri Agnieszka"
    ),
    _name_pairs(
        "Dvořák|dvorak Đorđević|dordevic Šimůnek|simunek Wójcik|wojcik Kovačič|kovacic Novák|novak Žižka|zizka"
    ),
)
CYRILLIC = Script(
    _name_pairs(
        "Ольга|olga Дмитрий|dmitry Світлана|svitlana Петър|petar Юлия|yulia Тарас|taras Наталия|nataliya Йордан|yordan"
    ),
    _name_pairs(
        "Шевченко|shevchenko Ткачук|tkachuk Димитров|dimitrov Коваленко|kovalenko Щербань|shcherban Гришин|grishin"
    ),
)
GREEK = Script(
    _name_pairs("Ελένη|eleni Γιώργος|giorgos Άννα|anna Δημήτρης|dimitris Κατερίνα|katerina Νίκος|nikos"),
    _name_pairs(
        "Παπαδόπουλος|papadopoulos Οικονόμου|oikonomou Βασιλείου|vasileiou Αγγελίδης|angelidis Ζαχαρίου|zachariou"
    ),
)
CHINESE = Script(
    _name_pairs("伟|wei 芳|fang 秀英|xiuying 建国|jianguo 丽|li 雪梅|xuemei 子轩|zixuan 浩然|haoran"),
    _name_pairs("王|wang 李|li 张|zhang 刘|liu 陈|chen 欧阳|ouyang 赵|zhao"),
    surname_first=True,
    joiner="",
)
JAPANESE = Script(
    _name_pairs("さくら|sakura 健太|kenta 美咲|misaki 翔|sho ハルカ|haruka 直樹|naoki 陽子|yoko"),
    _name_pairs("佐藤|sato 鈴木|suzuki 高橋|takahashi 渡辺|watanabe 小林|kobayashi 山本|yamamoto"),
    surname_first=True,
)
KOREAN = Script(
    _name_pairs("민준|minjun 서연|seoyeon 지훈|jihoon 하은|haeun 도윤|doyun 수빈|subin"),
    _name_pairs("김|kim 이|lee 박|park 최|choi 정|jung 강|kang"),
    surname_first=True,
    joiner="",
)
ARABIC = Script(
    _name_pairs("فاطمة|fatima محمد|mohammed ليلى|layla يوسف|youssef نور|noor خالد|khaled"),
    _name_pairs("حداد|haddad النجار|alnajjar منصور|mansour خليل|khalil بغدادي|baghdadi"),
)
HEBREW = Script(
    _name_pairs("נועה|noa דוד|david תמר|tamar איתי|itay שירה|shira"),
    _name_pairs("כהן|cohen לוי|levi מזרחי|mizrahi פרידמן|friedman"),
)
DEVANAGARI = Script(
    _name_pairs("प्रिया|priya अर्जुन|arjun दीपिका|deepika रोहन|rohan अनन्या|ananya विक्रम|vikram"),
    _name_pairs("शर्मा|sharma वर्मा|verma पाटील|patil जोशी|joshi मिश्रा|mishra"),
)
THAI = Script(
    _name_pairs("สมชาย|somchai มาลี|malee ณัฐพล|nattapon กนกวรรณ|kanokwan ธนา|thana"),
    _name_pairs("ศรีสุข|srisuk วงศ์สวัสดิ์|wongsawat ทองดี|thongdee แก้วมณี|kaewmanee"),
)
VIETNAMESE = Script(
    _name_pairs("Hương|huong Đức|duc Thảo|thao Minh Quỳnh|quynh Tuấn|tuan"),
    _name_pairs("Nguyễn|nguyen Trần|tran Phạm|pham Đặng|dang Hoàng|hoang"),
    surname_first=True,
)
TURKISH = Script(
    _name_pairs("Işıl|isil İbrahim|ibrahim Gülşen|gulsen Çağla|cagla Oğuz|oguz"),
    _name_pairs("Yıldız|yildiz Şahin|sahin Özdemir|ozdemir Kılıç|kilic"),
)
AFRICAN = Script(
    _name_pairs("Chidi Amaka Ọlámidé|olamide Kwame Ama ብርሃን|birhan"),
    _name_pairs("Okafor Adébáyọ̀|adebayo Mensah Nkrumah Tesfaye"),
)
SCRIPTS = (
    *(LATIN, LATIN, LATIN, SLAVIC, CYRILLIC, GREEK, CHINESE, JAPANESE, KOREAN, ARABIC),
    *(HEBREW, DEVANAGARI, THAI, VIETNAMESE, TURKISH, AFRICAN),
)
