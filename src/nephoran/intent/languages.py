"""A few languages' words in ours, so that one grammar reads them: enough for everyday requests, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """A language's words in ours. One of `signs` in a sentence says that it is written in it."""

    signs: frozenset[str]
    words: Mapping[str, str]


def _language(pairs: Mapping[str, str], signs: str) -> Language:
    words = {foreign: ours for ours, foreigns in pairs.items() for foreign in foreigns.split()}
    return Language(frozenset(signs.split()), words)


LANGUAGES: Final = (
    _language(
        {
            "deploy": "bereitstellen bereit deploye installiere installieren starte starten erstelle erstellen",
            "scale": "skaliere skalieren skalierung",
            "increase": "erhohe erhohen vergrossere",
            "reduce": "verringere verringern reduziere reduzieren senke",
            "configure": "konfiguriere konfigurieren aktiviere aktivieren",
            "optimize": "optimiere optimieren",
            "upgrade": "aktualisiere aktualisieren wartung",
            "to": "auf",
            "with": "mit",
            "and": "und",
            "for": "fur",
            "in": "im",
            "from": "von",
            "the": "der das den dem die",
            "a": "ein eine einen",
            "two": "zwei",
            "three": "drei",
            "four": "vier",
            "five": "funf",
            "six": "sechs",
            "ten": "zehn",
            "each": "jeweils je",
            "replicas": "replikate replikaten replikas repliken instanzen instanz",
            "namespace": "namensraum",
            "high availability": "hochverfugbarkeit hochverfugbar hochverfugbare hochverfugbaren hochverfugbares",
            "latency": "latenz",
            "slice": "netzwerkscheibe",
        },
        (
            "bereitstellen bereit deploye installiere installieren starte erstelle erstellen skaliere skalieren"
            " erhohe erhohen verringere verringern reduziere reduzieren senke konfiguriere konfigurieren aktiviere"
            " optimiere optimieren aktualisiere aktualisieren wartung"
        ),
    ),
    _language(
        {
            "deploy": "desplegar despliega despliegue desplegad instalar instala implementar implementa crear crea"
            " iniciar lanzar",
            "scale": "escalar escala escale",
            "increase": "aumentar aumenta incrementar incrementa ampliar",
            "reduce": "reducir reduce disminuir disminuye",
            "configure": "configurar configura configure habilitar habilita activar activa aplicar aplica",
            "optimize": "optimizar optimiza optimice",
            "upgrade": "actualizar actualiza",
            "maintenance": "mantenimiento",
            "to": "a hasta",
            "with": "con",
            "and": "y e",
            "for": "para",
            "in": "en",
            "of": "de del",
            "from": "desde",
            "the": "el la los las",
            "a": "un una unos unas",
            "two": "dos",
            "three": "tres",
            "four": "cuatro",
            "five": "cinco",
            "six": "seis",
            "ten": "diez",
            "each": "cada",
            "replicas": "replicas instancias instancia replica copias",
            "namespace": "namespace espacio",
            "high": "alta",
            "availability": "disponibilidad",
            "latency": "latencia",
            "network": "red",
            "slice": "segmento rebanada",
        },
        (
            "desplegar despliega despliegue instalar instala implementar implementa crear crea iniciar lanzar"
            " escalar escala aumentar aumenta incrementar incrementa ampliar reducir disminuir disminuye configurar"
            " configura habilitar habilita activar optimizar optimiza actualizar actualiza mantenimiento aplicar"
        ),
    ),
    _language(
        {
            "deploy": "deployer deployez deploie installer installez creer creez lancer lancez demarrer",
            "scale": "echelle",
            "increase": "augmenter augmentez augmente accroitre",
            "reduce": "reduire reduisez diminuer diminuez",
            "configure": "configurer configurez configure activer activez appliquer appliquez",
            "optimize": "optimiser optimisez optimise",
            "upgrade": "jour",
            "put": "mettre mettez",
            "maintenance": "maintenance",
            "to": "a jusqu",
            "with": "avec",
            "and": "et",
            "for": "pour",
            "in": "dans en",
            "of": "de des du d",
            "the": "le la les l",
            "a": "un une",
            "two": "deux",
            "three": "trois",
            "four": "quatre",
            "five": "cinq",
            "ten": "dix",
            "each": "chacun chacune chaque",
            "replicas": "repliques replique instances replicas copies",
            "namespace": "namespace espace",
            "high": "haute",
            "availability": "disponibilite",
            "latency": "latence",
            "network": "reseau",
            "slice": "tranche",
        },
        (
            "deployer deployez deploie installer installez creer creez lancer lancez augmenter augmentez reduire"
            " reduisez diminuer configurer configurez activer activez optimiser optimisez mettre mettez appliquer"
        ),
    ),
)
"""Tried in this order; spelt without accents."""

IDEOGRAPHS: Final[dict[str, str]] = {
    foreign: ours
    for ours, foreigns in {
        "deploy": "部署 建立 创建 創建 安装 安裝 启动 啟動 新增 デプロイ 展開 構築 배포",
        "scale": "扩展 擴展 扩容 擴容 缩容 縮容 擴充 伸缩 伸縮 スケール 확장",
        "increase": "增加 提升 提高 増やす",
        "reduce": "减少 減少 降低 缩减 縮減",
        "configure": "配置 设置 設置 設定 启用 啟用 应用 應用 구성",
        "optimize": "优化 優化 最佳化 最適化 최적화",
        "upgrade": "升级 升級 更新 アップグレード",
        "maintenance": "维护 維護 メンテナンス",
        "slice": "切片 スライス",
        "network": "网络 網路 網絡 ネットワーク",
        "core": "核心 核心网",
        "replicas": "副本 实例 實例 執行個體 レプリカ インスタンス 复制",
        "namespace": "命名空间 命名空間 名前空間 ネームスペース",
        "to": "到 至 为 為 成",
        "in": "在 于 於",
        "and": "和 与 與 及 跟 と",
        "with": "具有 并 並 包含 带有 帶有",
        "high availability": "高可用 高可用性",
        "latency": "延迟 延遲",
        "autoscaling": "自动扩展 自動擴展 自动扩缩 自動擴縮 自动伸缩",
        "two": "两 兩 二",
        "one": "一",
        "three": "三",
        "four": "四",
        "five": "五",
        "six": "六",
        "seven": "七",
        "eight": "八",
        "nine": "九",
        "ten": "十",
        "each": "各 每个 每個",
        "the": "个 個 的 将 將 把 台 请 請 を に の",
        "for": "用于 用於 给",
        "policy": "策略",
    }.items()
    for foreign in foreigns.split()
}
"""Scripts without spaces, longest match first."""
