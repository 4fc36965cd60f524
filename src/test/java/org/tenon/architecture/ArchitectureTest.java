package org.tenon.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.DeviceType;
import org.tenon.Generator;

/** Which package may know which. */
class ArchitectureTest {
    private static final int FEWEST_CLASSES = 150;

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.tenon");

    /** The element types, device types, generator and exceptions, which every package knows. */
    private static final DescribedPredicate<JavaClass> VOCABULARY = DescribedPredicate.describe(
            "vocabulary",
            each -> each.isAssignableTo(DType.class)
                    || each.isAssignableTo(DeviceType.class)
                    || each.getName().startsWith(Generator.class.getName())
                    || each.isAssignableTo(Throwable.class));

    private static final DescribedPredicate<JavaClass> FACADE =
            resideInAPackage("org.tenon").and(DescribedPredicate.not(VOCABULARY));

    private static final Pattern MAKES_CODE =
            Pattern.compile("java\\.lang\\.Class\\.(forName|newInstance|getDeclared|getMethod|getConstructor).*"
                + "|java\\.lang\\.ClassLoader\\..*|java\\.util\\.ServiceLoader\\..*|java\\.lang\\.reflect\\..*"
                + "|java\\.lang\\.invoke\\.MethodHandles\\$Lookup\\.(define|find).*|java\\.lang\\.(System|Runtime)\\.(load|exec).*"
                + "|java\\.lang\\.foreign\\.(SymbolLookup|Linker)\\..*");

    @Test
    void enoughClassesWereSeen() {
        assertThat(CLASSES.size()).isGreaterThan(FEWEST_CLASSES);
    }

    @Test
    void backendsAndTheirInterfaceKnowTheVocabularyOnly() {
        noClasses()
                .that()
                .resideInAnyPackage("org.tenon.spi..", "org.tenon.cpu..")
                .should()
                .dependOnClassesThat(FACADE.or(resideInAPackage("org.tenon.op.."))
                        .or(resideInAPackage("org.tenon.nn.."))
                        .or(resideInAPackage("org.tenon.optim..")))
                .check(CLASSES);
    }

    @Test
    void theInterfaceKnowsNoBackend() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.tenon.cpu..")
                .should()
                .dependOnClassesThat(resideInAPackage("org.tenon.cpu.."))
                .check(CLASSES);
    }

    @Test
    void opsKnowTheInterfaceAndTheVocabularyOnly() {
        noClasses()
                .that()
                .resideInAPackage("org.tenon.op..")
                .should()
                .dependOnClassesThat(
                        FACADE.or(resideInAPackage("org.tenon.nn..")).or(resideInAPackage("org.tenon.optim..")))
                .check(CLASSES);
    }

    @Test
    void tensorsKnowNoLayers() {
        noClasses()
                .that()
                .resideInAPackage("org.tenon")
                .should()
                .dependOnClassesThat(resideInAPackage("org.tenon.nn..").or(resideInAPackage("org.tenon.optim..")))
                .check(CLASSES);
    }

    @Test
    void nothingElseKnowsFilesDataAndMetrics() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.tenon.io..", "org.tenon.data..", "org.tenon.metrics..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.tenon.io..", "org.tenon.data..", "org.tenon.metrics.."))
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("org.tenon.io..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.tenon.data..", "org.tenon.metrics.."))
                .check(CLASSES);
    }

    @Test
    void librariesOfOneClassStayInIt() {
        noClasses()
                .that()
                .doNotHaveSimpleName("CsvRows")
                .should()
                .dependOnClassesThat(resideInAPackage("de.siegmar.."))
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("org.tenon.io..", "org.tenon.metrics..")
                .should()
                .dependOnClassesThat(resideInAPackage("com.fasterxml.."))
                .check(CLASSES);
        noClasses()
                .that()
                .haveSimpleNameNotStartingWith("Image")
                .should()
                .dependOnClassesThat(resideInAnyPackage("java.awt..", "javax.imageio.."))
                .check(CLASSES);
    }

    @Test
    void onlyVectorClassesKnowTheVectorApi() {
        noClasses()
                .that()
                .haveSimpleNameNotStartingWith("Vector")
                .should()
                .dependOnClassesThat(resideInAPackage("jdk.incubator.vector.."))
                .check(CLASSES);
    }

    @Test
    void gpuLibrariesStayInTheirPackages() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.tenon.opencl..")
                .should()
                .dependOnClassesThat(resideInAPackage("org.jocl.."))
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackage("org.tenon.cuda..")
                .should()
                .dependOnClassesThat(resideInAPackage("jcuda.."))
                .check(CLASSES);
    }

    @Test
    void nothingOpensAConnection() {
        noClasses()
                .should()
                .dependOnClassesThat(
                        nameMatching(
                                "java\\.net\\.(http\\..*|.*Socket.*|.*URLConnection)|java\\.nio\\.channels\\..*(Socket|Datagram).*"))
                .check(CLASSES);
    }

    /** A file is numbers and texts: none of them becomes a class, an object of a class it names, or a command. */
    @Test
    void filesAreNoCode() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.tenon.gpu..", "org.tenon.opencl..", "org.tenon.cuda..", "org.tenon.cpu..")
                .and()
                .doNotHaveFullyQualifiedName("org.tenon.Devices")
                .and()
                .doNotHaveFullyQualifiedName("org.tenon.Devices$Found")
                .should(onlyReadAndWrite())
                .check(CLASSES);
        noClasses()
                .should()
                .dependOnClassesThat(
                        nameMatching(
                                "java\\.io\\.(ObjectInput|Externalizable).*|java\\.beans\\..*|javax\\.script\\..*|javax\\.naming\\..*"
                                    + "|java\\.rmi\\..*|javax\\.tools\\..*|java\\.net\\.URLClassLoader|java\\.lang\\.Process(Builder)?"))
                .check(CLASSES);
    }

    private static ArchCondition<JavaClass> onlyReadAndWrite() {
        return new ArchCondition<>("call what makes code") {
            @Override
            public void check(JavaClass one, ConditionEvents events) {
                one.getAccessesFromSelf().stream()
                        .filter(access -> MAKES_CODE
                                .matcher(access.getTarget().getFullName())
                                .matches())
                        .forEach(access -> events.add(new SimpleConditionEvent(access, true, access.getDescription())));
            }
        };
    }

    @Test
    void noBackendClassIsPublicButItsProvider() {
        classes()
                .that()
                .resideInAPackage("org.tenon.cpu..")
                .and()
                .haveSimpleNameNotEndingWith("Provider")
                .should()
                .notBePublic()
                .check(CLASSES);
    }

    @Test
    void namesSayWhatThingsAre() {
        noClasses()
                .should()
                .haveSimpleNameEndingWith("Utils")
                .orShould()
                .haveSimpleNameEndingWith("Helper")
                .orShould()
                .haveSimpleNameEndingWith("Manager")
                .check(CLASSES);
    }

    @Test
    void publicSignaturesHaveNoBooleanParameters() {
        methods()
                .that()
                .arePublic()
                .and()
                .areDeclaredInClassesThat()
                .arePublic()
                .and()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(
                        "org.tenon",
                        "org.tenon.nn",
                        "org.tenon.optim",
                        "org.tenon.data",
                        "org.tenon.io",
                        "org.tenon.metrics")
                .should(new ArchCondition<JavaMethod>("have no boolean parameter") {
                    @Override
                    public void check(JavaMethod method, ConditionEvents events) {
                        boolean bad = method.getRawParameterTypes().stream()
                                        .anyMatch(type -> type.isEquivalentTo(boolean.class))
                                && !method.getModifiers().contains(JavaModifier.SYNTHETIC);
                        events.add(new SimpleConditionEvent(
                                method, !bad, method.getFullName() + " has a boolean parameter"));
                    }
                })
                .check(CLASSES);
    }

    @Test
    void everyPackageSaysWhatItIsFor() {
        Set<String> packages = new java.util.TreeSet<>();
        CLASSES.forEach(each -> packages.add(each.getPackageName()));
        assertThat(packages).hasSizeGreaterThan(5);
        for (String each : packages) {
            assertThat(Files.exists(Path.of("src/main/java", each.replace('.', '/'), "package-info.java")))
                    .as(each)
                    .isTrue();
        }
    }
}
