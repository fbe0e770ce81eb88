package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.costs.RunCosts;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ScalingPlotTest {
  @Test
  void labelsAxesBoundsAndStages() throws Exception {
    Document drawing = draw("out", MadeUpRun.sequential(3, 8), 8, 64);

    assertThat(drawing.getDocumentElement().getTagName()).isEqualTo("svg");
    assertThat(texts(drawing))
        .contains("Speed-up over one executor", "executors of 4 cores", "times as fast", "ideal")
        .contains("1", "2", "4", "8", "16", "32", "64")
        .contains("Where the time goes", "1 executor", "8 executors", "64 executors")
        .contains("driver alone", "calibrate", "compress", "assemble")
        .anyMatch(text -> text.startsWith("at most 1.1 times as fast: "));
    assertThat(elements(drawing, "polyline")).as("one curve").hasSize(1);
    assertThat(elements(drawing, "circle")).as("a point per cluster").hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1000, 1_000_000})
  void staysWithinItsFrame(int executors) throws Exception {
    Document drawing = draw("out", MadeUpRun.onePass(4, 200), executors);
    double width = number(drawing.getDocumentElement(), "width");
    double height = number(drawing.getDocumentElement(), "height");

    for (Element text : elements(drawing, "text")) {
      if (text.hasAttribute("x")) {
        assertThat(number(text, "x")).isBetween(0.0, width);
        assertThat(number(text, "y")).isBetween(0.0, height);
      }
    }
    for (Element bar : elements(drawing, "rect")) {
      assertThat(number(bar, "width")).isBetween(0.0, width);
    }
    for (Element point : elements(drawing, "circle")) {
      assertThat(number(point, "cx")).isBetween(70.0, 730.0);
      assertThat(number(point, "cy")).isBetween(60.0, 400.0);
    }
  }

  @Test
  void namesFromOutsideStayText() throws Exception {
    String hostile = "<script>&\"'\u0000\ud800\uffff";
    RunCosts costs =
        new MadeUpRun(1, 1).stage(hostile, MadeUpRun.job("x", "X", List.of(1.0))).costs();
    Document drawing = draw(hostile, costs, 8);

    assertThat(elements(drawing, "script")).isEmpty();
    assertThat(texts(drawing)).contains("<script>&\"'???");
  }

  private static Document draw(String name, RunCosts costs, Integer... executors)
      throws ParserConfigurationException, SAXException, IOException {
    String svg =
        ScalingPlot.svg(
            Simulation.of(
                name,
                costs,
                new SimulationSettings(List.of(executors), 4, WhatIf.NOTHING, Stragglers.NONE, 0)));
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
    return factory.newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
  }

  private static List<String> texts(Document drawing) {
    return elements(drawing, "text").stream().map(Element::getTextContent).toList();
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }

  private static List<Element> elements(Document drawing, String name) {
    List<Element> elements = new ArrayList<>();
    NodeList found = drawing.getElementsByTagName(name);
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }
}
